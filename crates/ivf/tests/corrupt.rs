//! The risk: bytes that rotted, were written to a wrong place, or lie under a checksum that matches. What is on a page
//! is never trusted: an operation ends with an answer or with an error that names a page; none panics or goes round for
//! ever. Where a checksum does not match, answers are right as well.

mod common;

use std::collections::BTreeSet;

use common::hooked::Hooked;
use common::vectors::Vectors;
use common::{Random, World, delete, number, pages, sound, store_of, tid};
use vw_ivf::{Coding, Effort, Error, Index, Metric, PAGE_BYTES, PageStore, Problem, Transaction};

/// Steps in which every operation ends here.
const STEPS: u64 = 50_000;
/// Where fields of a page's header are.
const EPOCH: std::ops::Range<usize> = 12..20;
const NEXT: usize = 20;

/// An index with pages of all kinds, and what is in it.
struct Sample {
    world: World,
    pages: Vec<Vec<u8>>,
    members: BTreeSet<u64>,
}

impl Sample {
    fn new(world: World, built: u64, lists: u32, inserted: u64) -> Sample {
        let store = world.loaded(built, lists);
        world.insert(&store, built..built + inserted);
        delete(&store, |number| number % 7 == 1 || number % 41 > 30);
        world.insert(&store, 20_000..20_010);
        store.begin().extend().expect("there is room");
        sound(&store);
        Sample { world, pages: pages(&store), members: world.members(&store) }
    }

    fn kind(&self, page: usize) -> u16 {
        u16::from_le_bytes([self.pages[page][4], self.pages[page][5]])
    }
}

/// Indexes of codes, of many directory pages, and of many head pages in a list.
fn samples() -> [Sample; 4] {
    let codes = World::new(Metric::Cosine, Coding::Bits(4), 64, 100, Vectors::Clusters(9));
    let directories = World::new(Metric::L2, Coding::Bits(1), 4_100, 20, Vectors::Clusters(9));
    let heads = World::new(Metric::L2, Coding::None, 0, 100_000, Vectors::Clusters(9));
    let floats = World::new(Metric::InnerProduct, Coding::Raw, 60, 60, Vectors::Clusters(9));
    [
        Sample::new(codes, 300, 5, 200),
        Sample::new(directories, 160, 12, 40),
        Sample::new(heads, 5_000, 1, 3_000),
        Sample::new(floats, 150, 4, 150),
    ]
}

#[test]
fn samples_have_several_pages_of_every_kind() {
    let mut kinds: Vec<u16> = samples().iter().flat_map(|s| (0..s.pages.len()).map(|at| s.kind(at))).collect();
    kinds.sort_unstable();
    // From the meta page to open pages, and one that was never written.
    for kind in (0x5601..=0x5608).chain([0]) {
        let least = if kind == 0x5601 || kind == 0x5603 || kind == 0 { 1 } else { 3 };
        assert!(kinds.iter().filter(|found| **found == kind).count() >= least, "{kind:x}: {kinds:x?}");
    }
}

/// An answer, where the index did not find itself corrupt.
fn answer<T>(result: Result<T, Error>, case: &str) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
        Err(Error::Corrupt { .. } | Error::Format { .. }) => None,
        Err(other) => panic!("{case}: not an error of a corrupt page: {other}"),
    }
}

/// Use an index whose pages are `pages`; tell whether the check found something wrong. Where pages lie, answers may be
/// wrong.
fn survive(sample: &Sample, pages: &[Vec<u8>], lies: bool, case: &str) -> bool {
    let store = Hooked::new(store_of(pages));
    let fresh = || {
        let case = case.to_owned();
        store.at(STEPS, move |_| panic!("{case}: no end"));
    };
    let (world, right) = (&sample.world, &sample.members);
    fresh();
    let Some(index) = answer(Index::open(&store), case) else { return true };
    let query = vec![0.25; world.options.dimensions as usize];
    let all = |effort: &Effort| {
        fresh();
        let found = answer(world.search(&store, &query, effort, usize::MAX), case)?;
        let set: BTreeSet<u64> = found.iter().map(|(number, _)| *number).collect();
        assert!(lies || found.len() == set.len(), "{case}: a member came twice");
        Some(set)
    };
    for effort in [Effort::default(), Effort { recall: 1.0, ..Effort::default() }] {
        assert!(all(&effort).is_none_or(|found| lies || found == *right), "{case}: a wrong answer");
    }
    fresh();
    let stats = answer(index.stats(&mut || {}), case);
    // A list of which a page is empty is counted as one that is being replaced is: as far as it is met.
    assert!(lies || stats.is_none_or(|stats| stats.members <= right.len() as u64), "{case}: wrong numbers");
    fresh();
    answer(index.each(&mut |_| {}, &mut || {}), case);
    answer(index.estimate(), case);
    let mut wrong = 0;
    let mut report = |problem| wrong += usize::from(matches!(problem, Problem::Wrong { .. }));
    fresh();
    answer(index.check(&mut report, &mut || {}), case);
    let mut sure = right.clone();
    for new in 30_000..30_040 {
        fresh();
        if answer(index.insert(tid(new), &world.vector(new), &mut || {}), case).is_some() {
            sure.insert(new);
        }
    }
    let dead = |number: u64| !number.is_multiple_of(5);
    fresh();
    let deleted = answer(index.delete(&mut |tid| dead(number(tid)), &mut || {}), case);
    fresh();
    answer(index.delete(&mut |_| false, &mut || {}), case);
    if let Some(found) = all(&Effort::default()).filter(|_| !lies) {
        let live: BTreeSet<u64> = sure.iter().copied().filter(|number| !dead(*number)).collect();
        assert!(found.is_superset(&live), "{case}: a member is lost after changes");
        assert!(deleted.is_none() || found == live, "{case}: deleted members are back");
    }
    wrong > 0
}

#[test]
fn flipped_bits_are_found_or_harmless() {
    let mut random = Random(7);
    for (of, sample) in samples().iter().enumerate() {
        assert!(!survive(sample, &sample.pages, false, "as it was"), "only the leaked page is a problem");
        for page in 0..sample.pages.len() {
            for round in 0..12 {
                let at = if round < 8 { random.below(32) } else { random.below(PAGE_BYTES as u64) } as usize;
                let mut bad = sample.pages.clone();
                bad[page][at] ^= 1 << random.below(8);
                let case = format!("sample {of}, page {page}, byte {at}");
                let found = survive(sample, &bad, false, &case);
                assert!(found || sample.kind(page) == 0, "{case}: the check finds it");
            }
        }
    }
}

#[test]
fn pages_in_wrong_places_and_pages_that_are_missing_are_found() {
    let mut random = Random(8);
    for (of, sample) in samples().iter().enumerate() {
        let count = sample.pages.len();
        for page in 0..count {
            for _ in 0..3 {
                let other = random.below(count as u64) as usize;
                let mut bad = sample.pages.clone();
                bad.swap(page, other);
                let found = survive(sample, &bad, false, &format!("sample {of}: {page} and {other} change places"));
                assert!(found || page == other);
            }
            let mut bad = sample.pages.clone();
            bad[page].fill(0);
            survive(sample, &bad, false, &format!("sample {of}: page {page} is empty"));
            let short = survive(sample, &sample.pages[..page], false, &format!("sample {of}: {page} pages"));
            assert!(short || page + 1 == count);
        }
    }
}

/// Write a checksum that matches.
fn seal(page: usize, bytes: &mut [u8]) {
    let sum = vw_vector::code::checksum(page as u64, &bytes[4..]);
    bytes[..4].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn lies_under_a_checksum_that_matches_end_in_an_answer_or_an_error() {
    let mut random = Random(9);
    for (of, sample) in samples().iter().enumerate() {
        let count = sample.pages.len();
        for page in 0..count {
            for _ in 0..16 {
                let mut bad = sample.pages.clone();
                let other = random.below(count as u64) as usize;
                let end = [40, 200, PAGE_BYTES as u64 - 12][random.below(3) as usize];
                let at = 4 + random.below(end - 4) as usize;
                let mut link = [0; 12];
                link[..4].copy_from_slice(&(other as u32).to_le_bytes());
                link[4..].copy_from_slice(&sample.pages[other][EPOCH]);
                match random.below(6) {
                    0 => bad[page][at] = random.next() as u8,
                    1 => bad[page][at..at + 4].fill(0xff),
                    2 => bad[page][at..at + 4].fill(0),
                    3 => bad[page][at..at + 12].copy_from_slice(&link),
                    4 => bad[page][6..8].copy_from_slice(&(random.next() as u16).to_le_bytes()),
                    _ => bad[page][at..at + 2].copy_from_slice(&(random.below(300) as u16).to_le_bytes()),
                }
                seal(page, &mut bad[page]);
                survive(sample, &bad, true, &format!("sample {of}: page {page} lies at {at}"));
            }
        }
    }
}

#[test]
fn chains_that_go_round_have_an_end() {
    for (of, sample) in samples().iter().enumerate() {
        let count = sample.pages.len();
        for page in 1..count {
            let alike = (1..count).filter(|other| sample.kind(*other) == sample.kind(page) && *other != page);
            for other in alike.step_by(1 + count / 12) {
                let mut bad = sample.pages.clone();
                bad[page][NEXT..NEXT + 4].copy_from_slice(&(other as u32).to_le_bytes());
                bad[page][NEXT + 4..NEXT + 12].copy_from_slice(&sample.pages[other][EPOCH]);
                seal(page, &mut bad[page]);
                survive(sample, &bad, true, &format!("sample {of}: page {page} leads to {other}"));
            }
        }
    }
}

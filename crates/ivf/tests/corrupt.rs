//! The risk: bytes that rotted or were written to a wrong place. What is on a page is never trusted: an operation fails
//! with an error that names a page, or its answer is right; none panics or goes round for ever.

mod common;

use std::collections::BTreeSet;

use common::{FULL, Random, delete, insert, list, loaded, number, store_of, tid};
use vw_ivf::{Error, Index, PAGE_BYTES, PageStore, Problem, Transaction};

/// Pages of all kinds: full, nearly empty and partly filled list pages, free ones, and one left behind by a crash.
fn pages() -> Vec<Vec<u8>> {
    let store = loaded(7 * FULL);
    delete(&store, |number| matches!(number / FULL, 2 | 4) || number / FULL == 5 && number % FULL > 9);
    insert(&store, 100 * FULL..100 * FULL + 5);
    delete(&store, |number| number == 0);
    store.begin().extend().expect("there is room");
    common::pages(&store)
}

/// An answer, where the index did not find itself corrupt.
fn answer<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
        Err(Error::Corrupt { .. } | Error::Format { .. }) => None,
        Err(other) => panic!("not an error of a corrupt page: {other}"),
    }
}

/// Use an index whose pages are `pages`; tell whether the check found something wrong.
fn survive(pages: &[Vec<u8>], right: &BTreeSet<u64>, case: &str) -> bool {
    let store = store_of(pages);
    let Some(index) = answer(Index::open(&store)) else { return true };
    let same = |found: &Vec<u64>| found.len() == right.len() && found.iter().all(|number| right.contains(number));
    assert!(answer(list(&store)).is_none_or(|found| same(&found)), "{case}: a wrong answer");
    answer(index.stats()).inspect(|stats| assert_eq!(stats.members, right.len() as u64, "{case}"));
    let mut wrong = 0;
    let mut report = |problem| wrong += usize::from(matches!(problem, Problem::Wrong { .. }));
    index.check(&mut report).expect("a check goes on");
    let mut sure = right.clone();
    for new in 0..3 {
        if answer(index.insert(tid(500 * FULL + new))).is_some() {
            sure.insert(500 * FULL + new);
        }
    }
    let dead = |number: u64| number.is_multiple_of(2) || number / FULL == 1;
    let deleted = answer(index.delete(&mut |tid| dead(number(tid)), &mut || {}));
    if let Some(found) = answer(list(&store)) {
        let found: BTreeSet<u64> = found.into_iter().collect();
        let live: BTreeSet<u64> = sure.iter().copied().filter(|number| !dead(*number)).collect();
        assert!(found.is_subset(&sure) && found.is_superset(&live), "{case}: a wrong answer after changes");
        assert!(deleted.is_none() || found == live, "{case}: deleted members are back");
    }
    wrong > 0
}

#[test]
fn flipped_bits_are_found_or_harmless() {
    let good = pages();
    let right: BTreeSet<u64> = list(&store_of(&good)).expect("a sound index").into_iter().collect();
    assert!(!survive(&good, &right, "as it was"), "only the leaked page is a problem");
    let mut random = Random(7);
    for page in 0..good.len() {
        let (mut found, mut inside) = (0, 0);
        for at in 0..328 {
            let at = if at < 128 { at } else { random.below(PAGE_BYTES as u64) as usize };
            let mut bad = good.clone();
            bad[page][at] ^= 1 << random.below(8);
            inside += usize::from(at < 32);
            found += usize::from(survive(&bad, &right, &format!("page {page}, byte {at}")) && at < 32);
        }
        assert_eq!(found, inside, "page {page}: the check finds every flipped bit of a header");
    }
}

#[test]
fn pages_of_rubbish_and_pages_in_wrong_places_are_found() {
    let good = pages();
    let right: BTreeSet<u64> = list(&store_of(&good)).expect("a sound index").into_iter().collect();
    let mut random = Random(8);
    for page in 0..good.len() {
        for _ in 0..20 {
            let mut bad = good.clone();
            let (from, to) = (random.below(PAGE_BYTES as u64) as usize, random.below(200) as usize);
            let from = if random.below(2) == 0 { 0 } else { from };
            bad[page].iter_mut().skip(from).take(to).for_each(|byte| *byte = random.next() as u8);
            survive(&bad, &right, &format!("rubbish on page {page}"));
        }
        for other in 0..good.len() {
            let mut bad = good.clone();
            bad.swap(page, other);
            assert!(survive(&bad, &right, &format!("pages {page} and {other} change places")) || page == other);
            let mut bad = good.clone();
            bad[page] = good[other].clone();
            survive(&bad, &right, &format!("page {page} is a copy of {other}"));
        }
        let mut bad = good.clone();
        bad[page].fill(0);
        survive(&bad, &right, &format!("page {page} is empty"));
    }
}

#[test]
fn a_file_that_is_too_short_is_found() {
    let good = pages();
    let right: BTreeSet<u64> = list(&store_of(&good)).expect("a sound index").into_iter().collect();
    for length in 0..good.len() - 1 {
        assert!(survive(&good[..length], &right, &format!("{length} pages")));
    }
}

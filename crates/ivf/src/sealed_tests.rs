//! The risk: pages whose checksums match and whose links lie, as an error of ours would write them. Answers may be wrong
//! then, but every operation ends, with an answer or with a page named as corrupt; none panics, goes round for ever, or
//! locks pages out of order.

use std::sync::mpsc;
use std::time::Duration;

use crate::layout::{KIND_FREE, KIND_LIST, Link, META_PAGE};
use crate::memory::MemoryStore;
use crate::meta::Meta;
use crate::page::{self, MEMBERS_PER_PAGE};
use crate::{Error, Index, Loader, Options, PageId, PageStore, Tid, Transaction};

const FULL: u32 = MEMBERS_PER_PAGE as u32;

fn random(state: &mut u64, end: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % end
}

fn tid(block: u32) -> Tid {
    Tid { block, offset: 1 }
}

/// A list of five pages, two of them with some room, two free pages and one that a crash left behind.
fn store() -> MemoryStore {
    let store = MemoryStore::default();
    let mut loader = Loader::new(&store, &Options::default()).expect("an empty store");
    (0..7 * FULL).try_for_each(|block| loader.push(tid(block))).expect("no crash is planned");
    loader.finish().expect("no crash is planned");
    let index = Index::open(&store).expect("an index");
    let mut dead = |tid: Tid| match tid.block / FULL {
        1 | 5 => tid.block % FULL < 180,
        page => matches!(page, 2 | 4),
    };
    assert_eq!(index.delete(&mut dead, &mut || {}).expect("nobody holds a page").freed, 2);
    store.begin().extend().expect("there is room");
    store
}

/// Give every link that a page could hold, and some that none could.
fn links(store: &MemoryStore) -> Vec<Option<Link>> {
    let pages = (0..store.pages() + 1).map(PageId);
    pages
        .flat_map(|page| [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, u64::MAX].map(|epoch| Some(Link { page, epoch })))
        .chain([None])
        .collect()
}

/// Write one lie to one page, under a checksum that matches.
fn lie(store: &MemoryStore, seed: &mut u64) -> Result<(), Error> {
    let links = links(store);
    let link = |seed: &mut u64| links[random(seed, links.len() as u64) as usize];
    let mut transaction = store.begin();
    let number = PageId(random(seed, u64::from(store.pages())) as u32);
    let bytes = transaction.page(number)?;
    if number == META_PAGE {
        let mut meta = Meta::read(bytes)?;
        let place = random(seed, 6);
        match (place, link(seed)) {
            (0, Some(link)) => meta.list.head = link,
            (1, Some(link)) => meta.list.tail = link,
            (2, Some(link)) => meta.list.room = link,
            (3, link) => meta.free = link,
            (4, _) => meta.next_epoch = random(seed, 12),
            _ => meta.list.pages = random(seed, 9) as u32,
        }
        meta.write(bytes)?;
    } else if let Some(mut header) = page::read(number, bytes)? {
        match random(seed, 5) {
            0 => header.kind = if header.kind == KIND_LIST { KIND_FREE } else { KIND_LIST },
            1 => header.count = random(seed, 2_000) as usize % (MEMBERS_PER_PAGE + 1),
            2 => header.list = random(seed, 3) as u32,
            3 => header.epoch = random(seed, 12),
            _ => header.next = link(seed),
        }
        page::write_header(number, bytes, &header)?;
    }
    Ok(transaction.commit()?)
}

/// Use the index in every way.
fn live(store: &MemoryStore) -> Result<(), Error> {
    let corrupt = |result: Result<(), Error>| match result {
        Ok(()) | Err(Error::Corrupt { .. }) => (),
        Err(other) => panic!("not an error of a corrupt page: {other}"),
    };
    let Ok(index) = Index::open(store) else { return Ok(()) };
    let search = || index.search()?.members().try_for_each(|tid| tid.map(drop));
    let mut problems = 0;
    index.check(&mut |_| problems += 1)?;
    assert!(problems > 0, "the page that a crash left behind is always one");
    corrupt(search());
    corrupt(index.stats().map(drop));
    for block in 0..400 {
        corrupt(index.insert(tid(block)));
    }
    for modulus in [3, 2, 1] {
        corrupt(index.delete(&mut |tid| tid.block.is_multiple_of(modulus), &mut || {}).map(drop));
        corrupt(search());
        corrupt(index.insert(tid(1)));
    }
    index.check(&mut |_| {}).map(drop)
}

#[test]
fn lies_under_matching_checksums_end() {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        for seed in 0..600 {
            let store = store();
            let mut state = seed;
            for _ in 0..1 + seed % 3 {
                // A first lie may leave a page that cannot be read for the second.
                drop(lie(&store, &mut state));
            }
            let _ = sender.send(seed);
            live(&store).expect("a check goes on");
        }
    });
    let mut last = 0;
    loop {
        match receiver.recv_timeout(Duration::from_secs(60)) {
            Ok(seed) => last = seed,
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("seed {last} goes round for ever"),
        }
    }
    assert!(thread.join().is_ok(), "seed {last}");
}

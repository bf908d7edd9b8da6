//! Lists dealt out anew. An index that grows splits its lists one by one, each as its members are at that moment; where
//! rows come in an order of their own, what that leads to is worse than what a build of the same rows finds. So when an
//! index has grown by half, or as many members have come to it as it holds, vacuum goes over all of it once: each list changes
//! members with those beside it, as it does where one is split.
//!
//! That is k-means, a few lists at a time (S. Lloyd, *Least Squares Quantization in PCM*, 1982), warm from where the splits
//! have led.

use crate::codec::Coding;
use crate::index::lock_meta;
use crate::layout::{Link, META_PAGE};
use crate::replace::Old;
use crate::reshape::Beside;
use crate::table::Entry;
use crate::{Error, Index, PageStore, Transaction, open};

/// Lists from which on an index is worth it.
const FEW: u32 = 8;
/// Lists that hold less than one in so many of the members that they have room for, as those of an index that was emptied,
/// stay as they are: what comes to them next changes them anyway.
const FULL: u64 = 4;
/// How often the members of lists are dealt out.
const ROUNDS: usize = 3;

impl<S: PageStore> Index<'_, S> {
    /// Let the lists change members, if the index has grown or turned over since they last did. `pause` is
    /// called with no page locked. Inserts and searches go on; those inserts wait that come to a list which is being written.
    pub(crate) fn regroup(&self, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let meta = self.meta()?;
        let grown = meta.lists >= meta.regrouped.saturating_add(meta.regrouped / 2);
        let came = u64::from(meta.turned) * open::capacity(self.codec.row_bytes()) as u64;
        let due = grown || came > 0 && came >= meta.packed_members;
        let room = u64::from(meta.lists) * u64::from(meta.list_limit);
        let full = meta.packed_members >= room / FULL;
        if self.options.coding == Coding::None || meta.lists < FEW || !due || !full {
            return Ok(());
        }
        let mut walk = self.walk()?;
        while let Some(directory) = self.step(&mut walk)? {
            // Numbers are given once, so those below this one are of lists that were there before.
            while self.regroup_one(directory.link, meta.next_list, pause)? {
                walk.next = self.directory(directory.link)?.next;
            }
        }
        let _alone = self.store.exclusive()?;
        self.calibrate(pause)?;
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        (meta.regrouped, meta.turned) = (meta.lists, 0);
        meta.write(transaction.page(META_PAGE)?)?;
        Ok(transaction.commit()?)
    }

    /// Write the first list of a directory page anew that has a number below `bound`, and those beside it; false where
    /// there is none.
    fn regroup_one(&self, home: Link, bound: u32, pause: &mut dyn FnMut()) -> Result<bool, Error> {
        let _alone = self.store.exclusive()?;
        let directory = self.directory(home)?;
        let old = |entry: &&Entry| entry.list < bound;
        let Some(entry) = directory.records.iter().find(old).copied() else { return Ok(false) };
        let list = self.whole(home, &entry, pause)?;
        let mut drafts = vec![self.draft(home, list.members.clone())];
        let old = Old { home, entry, list };
        let near = self.beside(&old, &drafts)?;
        let mut olds = vec![old];
        for Beside { home, entry, .. } in near {
            let list = self.whole(home, &entry, pause)?;
            drafts.push(self.draft(home, list.members.clone()));
            olds.push(Old { home, entry, list });
        }
        for _ in 0..ROUNDS {
            pause();
            let new = drafts.len();
            drafts = self.deal(drafts, new)?;
        }
        self.replace(olds, drafts, pause)?;
        Ok(true)
    }
}

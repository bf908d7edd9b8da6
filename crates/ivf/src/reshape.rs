//! When a list is packed anew, split or joined with another, so that the index keeps its recall and its speed by itself.
//!
//! After SPFresh and its LIRE protocol (arXiv 2410.14452): a list that has grown too long becomes two.

use crate::codec::Coding;
use crate::draft::Draft;
use crate::layout::Link;
use crate::members::Members;
use crate::replace::Old;
use crate::route::{Spot, Walk};
use crate::table::{Directory, Entry};
use crate::{Error, Index, PageStore, open};

/// Members of an open part that are worth packing, at least.
const WORTH_PACKING: u64 = 64;
/// A list is packed when its open part has one in so many of its packed members.
const SHARE: u64 = 4;
/// A list of members that are alike, but for one in so many, is cut in two from so many times the limit on.
const ALIKE: u64 = 2;
const OTHERS: usize = 8;

/// Lists up to which the stop rule is measured by whoever splits one; with more that takes long, and is left to vacuum.
const SOON: u32 = 2_000;

impl<S: PageStore> Index<'_, S> {
    /// Pack or split a list that has just got one more open page, where it is time for that and nobody else is at it.
    pub(crate) fn reshape(&self, spot: &Spot, pause: &mut dyn FnMut()) -> Result<(), Error> {
        if !self.overdue(&spot.entry) {
            return Ok(());
        }
        let Some(_alone) = self.store.try_exclusive()? else { return Ok(()) };
        let mut walk = Walk::from(spot.directory);
        while let Some(directory) = self.step(&mut walk)? {
            if let Some(entry) = directory.records.iter().find(|entry| entry.list == spot.entry.list) {
                return if self.overdue(entry) { self.renew(directory.link, *entry, pause) } else { Ok(()) };
            }
        }
        Ok(())
    }

    /// Tell whether the open part of a list is long enough to be packed.
    fn overdue(&self, entry: &Entry) -> bool {
        let rows = u64::from(entry.open_pages) * open::capacity(self.codec.row_bytes()) as u64;
        let packed = u64::from(entry.packed_members);
        self.options.coding != Coding::None && rows >= WORTH_PACKING.max(packed / SHARE)
    }

    /// Pack a list, or split it where it has become too long. The caller has the store for itself.
    pub(crate) fn renew(&self, directory: Link, entry: Entry, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let limit = u64::from(self.meta()?.list_limit);
        let list = self
            .list(&entry, pause)?
            .ok_or(Error::Corrupt { page: directory.page, what: "it names a list whose pages are another's" })?;
        let members = list.members.clone();
        let count = members.len() as u64;
        let drafts = match count > limit {
            true => self.split(members, limit, u64::from(entry.list))?,
            false => vec![self.draft(members)],
        };
        self.replace(directory, vec![Old { entry, list }], drafts, pause)?;
        self.recalibrate(SOON, pause)
    }

    /// Draft two lists of the members of one that is too long, or one of members that are alike and not many.
    fn split(&self, members: Members, limit: u64, seed: u64) -> Result<Vec<Draft>, Error> {
        let many = members.len() as u64 > limit.saturating_mul(ALIKE);
        // What is alike gets lists that are alike, so that no list is read and written as a whole for ever.
        let cut = if many { Some(self.cut(&members)?) } else { None };
        let least = members.len() / OTHERS;
        match (self.halves(members, seed)?, cut) {
            (Ok(halves), Some(cut)) if halves.iter().any(|half| half.members.len() < least) => Ok(cut),
            (Ok(halves), _) => Ok(halves.into()),
            (Err(_), Some(cut)) => Ok(cut),
            (Err(members), None) => Ok(vec![self.draft(members)]),
        }
    }

    /// Join a list that has few members left with the nearest other of its directory page. Gives false where there is
    /// none that it fits to. The caller has the store for itself.
    pub(crate) fn join(&self, directory: &Directory, entry: Entry, pause: &mut dyn FnMut()) -> Result<bool, Error> {
        let limit = self.meta()?.list_limit;
        let per_page = open::capacity(self.codec.row_bytes()) as u32;
        let size = |entry: &Entry| entry.packed_members.saturating_add(entry.open_pages.saturating_mul(per_page));
        let position = |list| directory.records.iter().position(|other| other.list == list);
        let mut centroid = Vec::new();
        position(entry.list).map(|at| self.centroids.decode(directory.centroid(at), &mut centroid));
        let point = self.codec.near(&centroid);
        let fits = |other: &&Entry| other.list != entry.list && size(other).saturating_add(size(&entry)) <= limit;
        let distance =
            |other: &Entry| position(other.list).map_or(f32::MAX, |at| self.score(&point, directory.centroid(at)));
        let nearest = directory.records.iter().filter(fits).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let Some(other) = nearest else { return Ok(false) };
        let mut olds = Vec::new();
        let mut members = Members::new(self.codec.row_bytes());
        for entry in [entry, *other] {
            let gone = Error::Corrupt { page: directory.link.page, what: "it names a list whose pages are another's" };
            let list = self.list(&entry, pause)?.ok_or(gone)?;
            list.members.iter().try_for_each(|(tid, row)| members.push(tid, row))?;
            olds.push(Old { entry, list });
        }
        self.replace(directory.link, olds, vec![self.draft(members)], pause)?;
        Ok(true)
    }
}

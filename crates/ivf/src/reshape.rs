//! When a list is packed anew, split or joined with another, so that the index keeps its recall and its speed by itself.
//!
//! After SPFresh and its LIRE protocol (arXiv 2410.14452): a list that has grown too long becomes two.

use crate::codec::Coding;
use crate::draft::Draft;
use crate::layout::Link;
use crate::list::List;
use crate::members::Members;
use crate::replace::Old;
use crate::route::{Spot, Walk};
use crate::table::{Directory, Entry};
use crate::{Error, Index, MAX_PAGES, PageStore, open};

/// Members of an open part that are worth packing, at least.
const WORTH_PACKING: u64 = 64;
/// A list is packed when its open part has one in so many of its packed members.
const SHARE: u64 = 12;
/// Lists beside one that is split that members are changed with, and how often they are dealt out.
const BESIDE: usize = 12;
const ROUNDS: usize = 2;
/// Those that give less than one in so many of their members stay as they are.
const WORTH_WRITING: usize = 64;
/// One in so many of the index's pages may be written anew for them.
const ROOM: u32 = 12;
/// Directory pages that they are looked for on.
const GROUPS: usize = 12;
/// A list that was too long when it was packed, as a build leaves some, is split at one in so many times that it is packed
/// anew: what comes right after a build does not pay for all of them.
const POSTPONED: u32 = 4;
/// A list of members that are alike, but for one in so many, is cut in two from so many times the limit on.
const ALIKE: u64 = 2;
const OTHERS: usize = 8;
/// Lists up to which the stop rule is measured by whoever splits one; with more that takes long, and is left to vacuum.
const SOON: u32 = 2_000;

/// A list beside one that is split: its directory page, its entry there, and its centroid.
pub struct Beside {
    pub home: Link,
    pub entry: Entry,
    pub centroid: Vec<f32>,
}

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
    pub(crate) fn renew(&self, link: Link, entry: Entry, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let limit = u64::from(self.meta()?.list_limit);
        let list = self.whole(link, &entry, pause)?;
        let members = list.members.clone();
        let count = members.len() as u64;
        let late = u64::from(entry.packed_members) > limit && count <= limit.saturating_mul(ALIKE);
        let old = Old { home: link, entry, list };
        match count > limit && (!late || entry.list.is_multiple_of(POSTPONED)) {
            true => self.shorten(old, members, limit, pause)?,
            false => self.replace(vec![old], vec![self.draft(link, members)], pause)?,
        }
        self.recalibrate(SOON, pause)
    }

    /// Split a list that has become too long. What is alike gets lists that are alike, so that no list is read and
    /// written as a whole for ever.
    fn shorten(&self, old: Old, members: Members, limit: u64, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let many = members.len() as u64 > limit.saturating_mul(ALIKE);
        let (home, least) = (old.home, members.len() / OTHERS);
        let cut = if many { Some(self.cut(home, &members)?) } else { None };
        match (self.halves(home, members, u64::from(old.entry.list))?, cut) {
            (Ok(halves), Some(cut)) if halves.iter().any(|half| half.members.len() < least) => {
                self.replace(vec![old], cut, pause)
            }
            (Ok(halves), _) => self.split(old, halves, pause),
            (Err(_), Some(cut)) => self.replace(vec![old], cut, pause),
            (Err(members), None) => self.replace(vec![old], vec![self.draft(home, members)], pause),
        }
    }

    /// Put two lists in the place of one, and let the lists beside it and these two take members from each other, so that
    /// each member is where the centroid is nearest.
    fn split(&self, old: Old, halves: [Draft; 2], pause: &mut dyn FnMut()) -> Result<(), Error> {
        let mut drafts: Vec<Draft> = halves.into();
        // Where rows are short, lists are, too, and evenness is worth more than what is written.
        let even = self.options.coding == Coding::Raw;
        let near = self.beside(&old, &drafts)?;
        let (mut olds, mut beside) = (vec![old], Vec::new());
        for Beside { home, entry, centroid } in near {
            let list = self.whole(home, &entry, pause)?;
            if even || self.gives(&list.members, &centroid, &drafts) {
                beside.push(Old { home, entry, list });
            }
        }
        let halves = drafts.len();
        for old in beside {
            drafts.push(self.draft(old.home, old.list.members.clone()));
            olds.push(old);
        }
        for _ in 0..ROUNDS {
            pause();
            let new = if even { drafts.len() } else { halves };
            drafts = self.deal(drafts, new)?;
        }
        self.replace(olds, drafts, pause)
    }

    /// Tell whether one in some members of a list would go to the two that a list beside it was split into: less than that
    /// is not worth writing it anew.
    fn gives(&self, members: &Members, centroid: &[f32], halves: &[Draft]) -> bool {
        let (mut point, mut given) = (Vec::new(), 0);
        for (_, row) in members.iter() {
            given += usize::from(self.codec.decode(row, &mut point) && Draft::is_nearer(halves, centroid, &point));
        }
        given * WORTH_WRITING > members.len()
    }

    /// The lists that are nearest to two that are to come in the place of an old one, and their directory pages: that of
    /// the old one, and so few others that all are changed in one transaction.
    pub(crate) fn beside(&self, old: &Old, halves: &[Draft]) -> Result<Vec<Beside>, Error> {
        let points: Vec<_> = halves.iter().map(|half| self.codec.near(&half.centroid)).collect();
        let distance =
            |centroid: &[u8]| points.iter().map(|point| self.score(point, centroid)).fold(f32::INFINITY, f32::min);
        let mut groups = Vec::new();
        for root in self.root()? {
            groups.extend(root.records.iter().enumerate().map(|(at, link)| (distance(root.centroid(at)), *link)));
        }
        groups.retain(|(_, link)| *link != old.home);
        groups.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let home = self.directory(old.home)?;
        let full = home.records.len() >= Directory::capacity(home.width);
        let mut near = Vec::new();
        let directories = groups.iter().take(GROUPS).map(|(_, link)| self.directory(*link));
        let directories: Vec<Directory> = std::iter::once(Ok(home)).chain(directories).collect::<Result<_, _>>()?;
        for directory in &directories {
            for (at, entry) in directory.records.iter().enumerate() {
                // What is much longer has its own split ahead.
                let short = entry.packed_members <= old.entry.packed_members.saturating_mul(2);
                if entry.list != old.entry.list && short {
                    near.push((distance(directory.centroid(at)), directory, at));
                }
            }
        }
        near.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
        let mut pages = MAX_PAGES - 2 - usize::from(full);
        let mut homes = vec![old.home];
        let mut beside = Vec::new();
        // Old and new lists are there at once for a moment, and the file never gets shorter again.
        let mut room = self.meta()?.live_pages / ROOM;
        for (_, directory, at) in near.into_iter().take(BESIDE) {
            let (home, Some(entry)) = (directory.link, directory.records.get(at).copied()) else { continue };
            let Some(left) = room.checked_sub(entry.pages()) else { break };
            room = left;
            if !homes.contains(&home) {
                let Some(left) = pages.checked_sub(1) else { continue };
                pages = left;
                homes.push(home);
            }
            let mut centroid = Vec::new();
            self.centroids.decode(directory.centroid(at), &mut centroid);
            beside.push(Beside { home, entry, centroid });
        }
        Ok(beside)
    }

    /// Read a list that nobody else can replace.
    pub(crate) fn whole(&self, directory: Link, entry: &Entry, pause: &mut dyn FnMut()) -> Result<List, Error> {
        let what = "it names a list whose pages are another's";
        self.list(entry, pause)?.ok_or(Error::Corrupt { page: directory.page, what })
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
            let list = self.whole(directory.link, &entry, pause)?;
            list.members.iter().try_for_each(|(tid, row)| members.push(tid, row))?;
            olds.push(Old { home: directory.link, entry, list });
        }
        self.replace(olds, vec![self.draft(directory.link, members)], pause)?;
        Ok(true)
    }
}

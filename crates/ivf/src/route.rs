//! The way of a new member to the list whose centroid is nearest, and the ways through root and directory.

use std::collections::HashSet;

use crate::codec::Query;
use crate::layout::Link;
use crate::table::{Directory, Entry, Root, Table};
use crate::{Error, Index, PageStore};

/// Directory pages that a new member's way leads over.
const GROUPS: usize = 8;

/// A list and the directory page that it is on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    pub directory: Link,
    pub entry: Entry,
}

/// A way along the chain of directory pages.
#[derive(Debug, Default)]
pub struct Walk {
    pub next: Option<Link>,
    met: HashSet<Link>,
}

impl Walk {
    pub fn from(link: Link) -> Walk {
        Walk { next: Some(link), ..Walk::default() }
    }
}

impl<S: PageStore> Index<'_, S> {
    /// Find the list whose centroid is nearest to a point, among the lists of the groups that are.
    pub(crate) fn nearest(&self, point: &Query) -> Result<Spot, Error> {
        let mut groups = Vec::new();
        self.groups(&mut |link, centroid| groups.push((self.score(point, centroid), link)))?;
        groups.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let named = |link: &Link| groups.iter().any(|(_, named)| named == link);
        let mut best: Option<(f32, Spot)> = None;
        for (at, (_, first)) in groups.iter().enumerate() {
            let (mut next, mut met) = (Some(*first), Vec::new());
            while let Some(link) = next {
                if met.contains(&link) {
                    return Err(round(link));
                }
                met.push(link);
                next = self.entries(link, &mut |entry, centroid| {
                    let distance = self.score(point, centroid);
                    if best.as_ref().is_none_or(|(least, _)| distance < *least) {
                        best = Some((distance, Spot { directory: link, entry }));
                    }
                })?;
                // A directory page that was split off a moment ago may not be in the root yet.
                next = next.filter(|next| !named(next));
            }
            if best.is_some() && at + 1 >= GROUPS {
                break;
            }
        }
        let nowhere = Error::Corrupt { page: crate::layout::META_PAGE, what: "its directory has no list" };
        best.map(|(_, spot)| spot).ok_or(nowhere)
    }

    /// Give the score of a centroid; of one that tells nothing, what comes before all others.
    pub(crate) fn score(&self, query: &Query, centroid: &[u8]) -> f32 {
        self.centroids.estimate(query, centroid)
    }

    /// Show each directory page that the root names, and its centroid, to `each`.
    pub(crate) fn groups(&self, each: &mut dyn FnMut(Link, &[u8])) -> Result<(), Error> {
        let mut next = Some(self.meta()?.root);
        while let Some(link) = next {
            let gone = Error::Corrupt { page: link.page, what: "the root is not here" };
            let after = Root::each(self.store, link, self.centroids.bytes(), each)?.ok_or(gone)?;
            next = after.filter(|next| next.epoch > link.epoch);
        }
        Ok(())
    }

    /// Show each list of a directory page, and its centroid, to `each`; give the link to the next page.
    pub(crate) fn entries(&self, link: Link, each: &mut dyn FnMut(Entry, &[u8])) -> Result<Option<Link>, Error> {
        let gone = Error::Corrupt { page: link.page, what: "a page of the directory is not here" };
        Directory::each(self.store, link, self.centroids.bytes(), each)?.ok_or(gone)
    }

    /// Read the root.
    pub(crate) fn root(&self) -> Result<Vec<Root>, Error> {
        let mut roots: Vec<Root> = Vec::new();
        let mut next = Some(self.meta()?.root);
        while let Some(link) = next {
            let gone = Error::Corrupt { page: link.page, what: "the root is not here" };
            let root: Root = Table::find(self.store, link, self.centroids.bytes())?.ok_or(gone)?;
            next = root.next.filter(|next| next.epoch > link.epoch);
            roots.push(root);
        }
        Ok(roots)
    }

    /// Read a directory page.
    pub(crate) fn directory(&self, link: Link) -> Result<Directory, Error> {
        let gone = Error::Corrupt { page: link.page, what: "a page of the directory is not here" };
        Table::find(self.store, link, self.centroids.bytes())?.ok_or(gone)
    }

    /// Begin at the first directory page.
    pub(crate) fn walk(&self) -> Result<Walk, Error> {
        Ok(Walk::from(self.meta()?.directory))
    }

    /// Read the next directory page; nothing behind the last.
    pub(crate) fn step(&self, walk: &mut Walk) -> Result<Option<Directory>, Error> {
        let Some(link) = walk.next else { return Ok(None) };
        if !walk.met.insert(link) {
            return Err(round(link));
        }
        let directory = self.directory(link)?;
        walk.next = directory.next;
        Ok(Some(directory))
    }

    /// Read the whole directory along its chain.
    pub(crate) fn directories(&self) -> Result<Vec<Directory>, Error> {
        let mut walk = self.walk()?;
        std::iter::from_fn(|| self.step(&mut walk).transpose()).collect()
    }
}

/// The error of a directory page that was met before on the same way.
fn round(link: Link) -> Error {
    Error::Corrupt { page: link.page, what: "the directory goes round in a circle" }
}

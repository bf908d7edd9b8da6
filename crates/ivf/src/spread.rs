//! Directory pages that have become two, and the root that learns of it.

use crate::allocate::take_page;
use crate::index::{known, lock, lock_meta};
use crate::layout::{Link, META_PAGE};
use crate::table::{Directory, Root, Table};
use crate::{Error, Index, PageStore, Transaction, kmeans};

impl<S: PageStore> Index<'_, S> {
    /// Move half of the entries of a directory page to another: those whose centroids are together. Both have at least
    /// one, and no more than fit.
    pub(crate) fn halve(&self, directory: &mut Directory, half: &mut Directory) {
        let (mut points, mut point) = (Vec::new(), Vec::new());
        let dimensions = self.codec.padded();
        for at in 0..directory.records.len() {
            self.centroids.decode(directory.centroid(at), &mut point);
            point.resize(dimensions, 0.0);
            points.extend_from_slice(&point);
        }
        let sides = kmeans::halves(&points, dimensions, u64::from(directory.link.page.0));
        let middle = directory.records.len() / 2;
        let most = Directory::capacity(directory.width);
        let sides = sides.map(|(_, _, sides)| sides).filter(|sides| {
            let second = sides.iter().filter(|side| **side).count();
            second > 0 && second < sides.len() && second.max(sides.len() - second) <= most
        });
        let sides = sides.unwrap_or_else(|| (0..directory.records.len()).map(|at| at >= middle).collect());
        let moved: Vec<u32> =
            directory.records.iter().zip(&sides).filter(|(_, side)| **side).map(|(entry, _)| entry.list).collect();
        for (at, entry) in directory.records.iter().enumerate() {
            if moved.contains(&entry.list) {
                half.push(*entry, directory.centroid(at));
            }
        }
        directory.retain(|entry| !moved.contains(&entry.list));
    }

    /// Tell the root of a directory page that has become two.
    pub(crate) fn spread(&self, pages: &[Directory; 2]) -> Result<(), Error> {
        for directory in pages {
            self.name(directory.link, &self.middle(directory))?;
        }
        Ok(())
    }

    /// The centroid of a directory page's centroids, coded.
    pub(crate) fn middle(&self, directory: &Directory) -> Vec<u8> {
        let mut middle = vec![0.0; self.codec.padded()];
        let (mut point, share) = (Vec::new(), 1.0 / directory.records.len().max(1) as f32);
        for at in 0..directory.records.len() {
            self.centroids.decode(directory.centroid(at), &mut point);
            middle.iter_mut().zip(&point).for_each(|(sum, value)| *sum += value * share);
        }
        let mut code = Vec::new();
        self.centroids.encode(&middle, &mut code);
        code
    }

    /// Name a directory page in the root, or note its centroid there anew. The caller has the store for itself.
    pub(crate) fn name(&self, directory: Link, centroid: &[u8]) -> Result<(), Error> {
        let width = self.centroids.bytes();
        for mut root in self.root()? {
            if root.records.contains(&directory) {
                root.retain(|link| *link != directory);
                root.push(directory, centroid);
                return self.write_root(&root);
            }
        }
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        let tail = meta.root_tail;
        let read = Table::read(tail, &self.store.read(known(self.store, tail.page)?)?, width)?;
        let mut root: Root = read.ok_or(Error::Corrupt { page: tail.page, what: "the root does not end here" })?;
        if root.records.len() < Root::capacity(width) {
            root.push(directory, centroid);
            root.write(lock(self.store, &mut transaction, tail)?)?;
            return Ok(transaction.commit()?);
        }
        let page = take_page(self.store, &mut transaction, &mut meta, &[tail.page])?;
        let mut more = Root::empty(Link { page, epoch: meta.take_epoch()? }, width);
        more.push(directory, centroid);
        more.write(transaction.page(page)?)?;
        root.next = Some(more.link);
        root.write(transaction.page(tail.page)?)?;
        meta.root_tail = more.link;
        meta.live_pages = meta.live_pages.saturating_add(1);
        meta.write(transaction.page(META_PAGE)?)?;
        Ok(transaction.commit()?)
    }

    /// Write a root page anew.
    fn write_root(&self, root: &Root) -> Result<(), Error> {
        let mut transaction = self.store.begin();
        root.write(lock(self.store, &mut transaction, root.link)?)?;
        Ok(transaction.commit()?)
    }
}

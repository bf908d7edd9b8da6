//! An open index: what all operations share. Each operation has a file of its own.

use std::sync::Arc;

use crate::codec::{self, CentroidCodec, Codec, Coding, Metric};
use crate::layout::{Link, META_PAGE};
use crate::meta::Meta;
use crate::{Error, Loader, PageId, PageStore, Plan, Transaction, centre, page};

/// What was settled when the index was made; kept in the meta page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Dimensions of the vectors; 0 where any will do, which is possible without codes only.
    pub dimensions: u32,
    /// Lists that the user asked for; 0 for as many as the index finds best.
    pub lists: u32,
    /// How vectors are compared.
    pub metric: Metric,
    /// What the index keeps of a vector.
    pub coding: Coding,
}

impl Default for Options {
    fn default() -> Options {
        Options { dimensions: 0, lists: 0, metric: Metric::L2, coding: Coding::None }
    }
}

/// Make an empty index in an empty store. A crash on the way leaves a store that [`Index::open`] refuses.
pub fn create<S: PageStore>(store: &S, options: &Options) -> Result<(), Error> {
    Loader::new(store, options, Plan::default())?.finish(&mut || {}).map(drop)
}

/// An index in a store. It keeps of the pages only what never changes, so it is never out of date.
pub struct Index<'s, S: PageStore> {
    pub(crate) store: &'s S,
    pub(crate) options: Options,
    pub(crate) codec: Arc<Codec>,
    pub(crate) centroids: CentroidCodec,
}

/// What of an index never changes, for whoever opens the same one again and again: to make it takes as long as to insert
/// a row. Nothing at first.
#[derive(Clone, Debug, Default)]
pub struct Kept(Option<Space>);

/// The codec of an index, and what it was made from.
#[derive(Clone, Debug)]
struct Space {
    options: Options,
    seed: u64,
    centre: Option<Link>,
    codec: Arc<Codec>,
}

impl<'s, S: PageStore> Index<'s, S> {
    /// Open the index that a store holds. Fails with [`Error::Corrupt`] where it holds none, or one whose build did not
    /// finish, and with [`Error::Format`] where it is of another version.
    pub fn open(store: &'s S) -> Result<Self, Error> {
        let meta = meta(store)?;
        let centre = meta.centre.map_or(Ok(Vec::new()), |link| centre::read(store, link, &meta.options))?;
        Ok(Index::of(store, &meta.options, meta.seed, centre))
    }

    /// Open the index with what was kept of it, where that is of this index, and keep it for the next time.
    pub fn open_again(store: &'s S, kept: &mut Kept) -> Result<Self, Error> {
        let meta = meta(store)?;
        let fits = |space: &&Space| (space.options, space.seed, space.centre) == (meta.options, meta.seed, meta.centre);
        if let Some(space) = kept.0.as_ref().filter(fits) {
            let (codec, centroids) = (space.codec.clone(), CentroidCodec::new(&space.codec));
            return Ok(Index { store, options: meta.options, codec, centroids });
        }
        let centre = meta.centre.map_or(Ok(Vec::new()), |link| centre::read(store, link, &meta.options))?;
        let index = Index::of(store, &meta.options, meta.seed, centre);
        let codec = index.codec.clone();
        kept.0 = Some(Space { options: meta.options, seed: meta.seed, centre: meta.centre, codec });
        Ok(index)
    }

    /// An index whose options, seed and centre are known.
    pub(crate) fn of(store: &'s S, options: &Options, seed: u64, centre: Vec<f32>) -> Self {
        let (metric, coding, dimensions) = (options.metric, options.coding, options.dimensions as usize);
        let codec = Arc::new(Codec::new(&codec::Space { metric, dimensions, coding, seed, centre }));
        let centroids = CentroidCodec::new(&codec);
        Index { store, options: *options, codec, centroids }
    }

    /// The options that the index was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How the index codes vectors.
    pub fn codec(&self) -> &Codec {
        &self.codec
    }

    /// Read the meta page.
    pub(crate) fn meta(&self) -> Result<Meta, Error> {
        meta(self.store)
    }
}

/// Read the meta page of a store.
pub(crate) fn meta<S: PageStore>(store: &S) -> Result<Meta, Error> {
    if store.pages() == 0 {
        return Err(Error::Corrupt { page: META_PAGE, what: "the store is empty" });
    }
    let bytes = store.read(META_PAGE)?;
    Meta::read_by(&bytes, |check| page::is_whole(store, META_PAGE, &bytes, check))
}

/// Refuse a page number that the store does not have: it came out of a page.
pub(crate) fn known<S: PageStore>(store: &S, page: PageId) -> Result<PageId, Error> {
    if store.has(page) {
        return Ok(page);
    }
    Err(Error::Corrupt { page, what: "a link leads here, beyond the end of the index" })
}

/// Lock a page for writing that a link leads to.
pub(crate) fn lock<'t, S: PageStore>(
    store: &S,
    transaction: &'t mut S::Transaction<'_>,
    link: Link,
) -> Result<&'t mut [u8], Error> {
    Ok(transaction.page(known(store, link.page)?)?)
}

/// Lock the meta page for writing and read it.
pub(crate) fn lock_meta(transaction: &mut impl Transaction) -> Result<Meta, Error> {
    Meta::read(transaction.page(META_PAGE)?)
}

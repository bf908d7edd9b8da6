//! Centre pages: what is taken off every vector before it is coded. Written at the build, and never again.

use crate::index::known;
use crate::layout::{BODY_BYTES, KIND_CENTRE, Link, Next, Writer};
use crate::page::{self, Header};
use crate::{Error, Options, PageStore};

/// Components of the centre that a page has room for.
pub const PER_PAGE: usize = BODY_BYTES / size_of::<f32>();

/// Read the centre, which begins on the page that `link` means.
pub fn read<S: PageStore>(store: &S, link: Link, options: &Options) -> Result<Vec<f32>, Error> {
    let corrupt = |page, what| Error::Corrupt { page, what };
    let mut centre = Vec::new();
    let mut next = Some(link);
    while let Some(link) = next {
        let bytes = store.read(known(store, link.page)?)?;
        let header = page::meant(link, &bytes, KIND_CENTRE, 0)?;
        let header = header.ok_or(corrupt(link.page, "the centre of the index is not here"))?;
        let (numbers, _) = page::body(&bytes).as_chunks();
        let numbers = numbers.get(..header.count).ok_or(corrupt(link.page, "it has more of the centre than fits"))?;
        centre.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        if centre.len() > options.dimensions as usize || header.count == 0 {
            return Err(corrupt(link.page, "the centre has other dimensions than the index"));
        }
        next = header.next.link();
    }
    if centre.len() != options.dimensions as usize || !centre.iter().all(|number| number.is_finite()) {
        return Err(corrupt(link.page, "the centre has other dimensions than the index, or is not finite"));
    }
    Ok(centre)
}

/// Write a page of the centre.
pub fn write(link: Link, bytes: &mut [u8], next: Next, part: &[f32]) -> Result<(), Error> {
    bytes.fill(0);
    let mut writer = Writer(page::body_mut(bytes));
    part.iter().try_for_each(|number| writer.f32(*number)).ok_or(page::misfit(link.page))?;
    page::seal(link.page, bytes, &Header { kind: KIND_CENTRE, count: part.len(), list: 0, epoch: link.epoch, next })
}

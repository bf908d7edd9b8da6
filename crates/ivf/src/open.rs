//! Open pages: the members that came since their list was packed, each as its tuple identifier and its row.
//!
//! A member never moves to another page of its list, and a page joins a list at its tail only. A page behind which nothing
//! may be put is closed: its list is being replaced.

use crate::layout::{BODY_BYTES, Fields, KIND_OPEN, Link, Next, TID_BYTES, Writer, header};
use crate::members::Members;
use crate::page::{self, Header};
use crate::{Error, PageId, Patched, Tid};

/// Count the members that a page has room for, with rows of so many bytes.
pub fn capacity(row_bytes: usize) -> usize {
    BODY_BYTES / (TID_BYTES + row_bytes)
}

/// Read the members of a page behind the first `skip`; `None` where it is not the page of the list that the link means.
pub fn read(
    link: Link,
    bytes: &[u8],
    list: u32,
    row_bytes: usize,
    skip: usize,
    members: &mut Members,
) -> Result<Option<Header>, Error> {
    let Some(header) = page::meant(link, bytes, KIND_OPEN, list)? else { return Ok(None) };
    parse(link, &header, bytes, row_bytes, skip, members)?;
    Ok(Some(header))
}

/// Read the members behind the header of an open page, and behind the first `skip`.
pub fn parse(
    link: Link,
    header: &Header,
    bytes: &[u8],
    row_bytes: usize,
    skip: usize,
    members: &mut Members,
) -> Result<(), Error> {
    let mut at = 0;
    each(link, header, bytes, row_bytes, &mut |tid, row| {
        at += 1;
        if at > skip { members.push(tid, row) } else { Ok(()) }
    })
}

/// What members and their rows are shown to.
pub type Each<'a> = dyn FnMut(Tid, &[u8]) -> Result<(), Error> + 'a;

/// Show the members behind the header of an open page to `each`.
pub fn each(link: Link, header: &Header, bytes: &[u8], row_bytes: usize, each: &mut Each<'_>) -> Result<(), Error> {
    let corrupt = |what| Error::Corrupt { page: link.page, what };
    if header.next.link().is_some_and(|next| next.epoch <= link.epoch) {
        return Err(corrupt("it links to an older page; lists only grow at their tail"));
    }
    let mut fields = Fields(page::body(bytes));
    for _ in 0..header.count {
        let member = fields.take().map(Tid::from_bytes).zip(fields.slice(row_bytes));
        let (tid, row) = member.ok_or_else(|| corrupt("it counts more members than it has room for"))?;
        if !tid.is_valid() {
            return Err(corrupt("a member is no tuple identifier"));
        }
        each(tid, row)?;
    }
    Ok(())
}

/// Write a whole page of members.
pub fn write(link: Link, bytes: &mut [u8], list: u32, next: Next, members: &Members) -> Result<(), Error> {
    bytes.fill(0);
    let mut writer = Writer(page::body_mut(bytes));
    for (tid, row) in members.iter() {
        writer.put(&tid.to_bytes()).and_then(|()| writer.put(row)).ok_or(page::misfit(link.page))?;
    }
    let header = Header { kind: KIND_OPEN, count: members.len(), list, epoch: link.epoch, next };
    page::seal(link.page, bytes, &header)
}

/// Add a member behind those that `header` counts, and tell which bytes have changed. The caller has asked for room.
pub fn append(number: PageId, bytes: &mut [u8], header: &Header, tid: Tid, row: &[u8]) -> Result<Patched, Error> {
    let at = header.count * (TID_BYTES + row.len());
    let place = page::body_mut(bytes).get_mut(at..).ok_or(page::misfit(number))?;
    let mut writer = Writer(place);
    writer.put(&tid.to_bytes()).and_then(|()| writer.put(row)).ok_or(page::misfit(number))?;
    page::seal(number, bytes, &Header { count: header.count + 1, ..*header })?;
    let start = header::BYTES + at;
    Ok([0..header::BYTES, start..start + TID_BYTES + row.len()])
}

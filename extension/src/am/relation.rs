//! An index opened by a function rather than by the server, with its table, for as long as the function needs them.

use super::handler;
use crate::pg::error::{Code, Fault, Result};
use pgrx::pg_sys;
use std::ffi::CStr;
use std::ptr::null_mut;

/// An open index of ours and its table. Their locks are kept until the transaction ends.
pub struct Opened {
    table: pg_sys::Relation,
    index: pg_sys::Relation,
}

impl Opened {
    /// Open the index `oid` to read it.
    pub fn to_read(oid: pg_sys::Oid) -> Result<Opened> {
        open(oid, pg_sys::AccessShareLock)
    }

    /// Open the index `oid` so that nobody writes meanwhile. On a standby, where such a lock cannot be had, replay does.
    pub fn to_check(oid: pg_sys::Oid) -> Result<Opened> {
        // SAFETY: reads a flag of this process.
        let standby = unsafe { pg_sys::RecoveryInProgress() };
        let opened = open(oid, if standby { pg_sys::AccessShareLock } else { pg_sys::ShareLock })?;
        if opened.owned() {
            return Ok(opened);
        }
        let message = format!("must be owner of index {}", opened.name());
        Err(Fault::new(Code::ERRCODE_INSUFFICIENT_PRIVILEGE, message))
    }

    /// Open the index `oid` to search it for whoever may read its whole table.
    pub fn to_query(oid: pg_sys::Oid) -> Result<Opened> {
        let opened = Opened::to_read(oid)?;
        // SAFETY: the table is open.
        let (allowed, filtered, table) = unsafe {
            let (table, user) = ((*opened.table).rd_id, pg_sys::GetUserId());
            let select = pg_sys::pg_class_aclcheck(table, user, pg_sys::ACL_SELECT as pg_sys::AclMode);
            let filter = pg_sys::check_enable_rls(table, user, true);
            let enabled = pg_sys::CheckEnableRlsResult::RLS_ENABLED as i32;
            (select == pg_sys::AclResult::ACLCHECK_OK, filter == enabled, name(opened.table))
        };
        let refuse = |message| Err(Fault::new(Code::ERRCODE_INSUFFICIENT_PRIVILEGE, message));
        match (allowed, filtered) {
            (false, _) => refuse(format!("permission denied for table {table}")),
            (_, true) => refuse(format!("row-level security hides rows of table {table}")),
            _ => Ok(opened),
        }
    }

    pub fn table(&self) -> pg_sys::Relation {
        self.table
    }

    pub fn index(&self) -> pg_sys::Relation {
        self.index
    }

    fn name(&self) -> String {
        // SAFETY: the index is open.
        unsafe { name(self.index) }
    }

    /// Tell whether the index belongs to the current user.
    fn owned(&self) -> bool {
        // SAFETY: the index is open.
        unsafe {
            let (oid, user) = ((*self.index).rd_id, pg_sys::GetUserId());
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            {
                pg_sys::pg_class_ownercheck(oid, user)
            }
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            {
                pg_sys::object_ownercheck(pg_sys::RelationRelationId, oid, user)
            }
        }
    }
}

/// The name of a relation.
///
/// # Safety
/// - `relation` is open.
pub unsafe fn name(relation: pg_sys::Relation) -> String {
    // SAFETY: open by our contract, and its name is terminated.
    let name = unsafe { CStr::from_ptr((*(*relation).rd_rel).relname.data.as_ptr()) };
    name.to_string_lossy().into_owned()
}

/// Open an index and its table, the table first.
fn open(oid: pg_sys::Oid, lock: u32) -> Result<Opened> {
    // SAFETY: any number may be asked for; both relations are closed when the result is dropped, and by the server
    // where an ERROR comes before that.
    let opened = unsafe {
        let table = pg_sys::IndexGetRelation(oid, true);
        if table == pg_sys::InvalidOid {
            return Err(no_index(oid));
        }
        let table = pg_sys::table_open(table, lock as i32);
        Opened { table, index: pg_sys::index_open(oid, pg_sys::AccessShareLock as i32) }
    };
    // SAFETY: both are open.
    let (ours, stored) = unsafe {
        let kind = (*(*opened.index).rd_rel).relkind as u8;
        (handler::serves(opened.index), kind == pg_sys::RELKIND_INDEX)
    };
    let wrong =
        |what: &str| Err(Fault::new(Code::ERRCODE_WRONG_OBJECT_TYPE, format!("index {} {what}", opened.name())));
    match (ours, stored) {
        (true, true) => Ok(opened),
        (true, false) => wrong("is partitioned; its partitions have the indexes to ask about"),
        _ => wrong("is not an inverted-file index"),
    }
}

/// Say that `oid` is no index.
fn no_index(oid: pg_sys::Oid) -> Fault {
    // SAFETY: any number may be asked for; the name is terminated, or null where there is no such relation.
    let name = unsafe { pg_sys::get_rel_name(oid) };
    let name = match name.is_null() {
        true => format!("relation with OID {}", oid.to_u32()),
        // SAFETY: not null, so a terminated string.
        false => unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned(),
    };
    Fault::new(Code::ERRCODE_WRONG_OBJECT_TYPE, format!("{name} is not an index"))
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: opened by `open`.
            unsafe {
                pg_sys::index_close(self.index, pg_sys::NoLock as i32);
                pg_sys::table_close(self.table, pg_sys::NoLock as i32);
            }
        }
    }
}

/// A registered snapshot.
pub struct Snapshot(pub pg_sys::Snapshot);

impl Snapshot {
    /// What is committed by now.
    pub fn latest() -> Snapshot {
        // SAFETY: runs inside a transaction, as every function does.
        Snapshot(unsafe { pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot()) })
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: registered by `latest`.
            unsafe { pg_sys::UnregisterSnapshot(self.0) };
        }
    }
}

/// While this lives, functions in the index's expressions run as the table's owner and can do no harm to the caller.
pub struct AsOwner {
    user: pg_sys::Oid,
    context: i32,
    settings: i32,
}

impl AsOwner {
    /// Become the owner of an open table.
    pub fn of(opened: &Opened) -> AsOwner {
        let mut own = AsOwner { user: pg_sys::InvalidOid, context: 0, settings: 0 };
        // SAFETY: the table is open; the places are ours. An abort of the transaction undoes all of it.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&mut own.user, &mut own.context);
            let restricted = own.context | pg_sys::SECURITY_RESTRICTED_OPERATION as i32;
            pg_sys::SetUserIdAndSecContext((*(*opened.table).rd_rel).relowner, restricted);
            own.settings = pg_sys::NewGUCNestLevel();
            #[cfg(any(feature = "pg17", feature = "pg18"))]
            pg_sys::RestrictSearchPath();
        }
        own
    }
}

impl Drop for AsOwner {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: goes back to what `of` found.
            unsafe {
                pg_sys::AtEOXact_GUC(false, self.settings);
                pg_sys::SetUserIdAndSecContext(self.user, self.context);
            }
        }
    }
}

/// Describe the index for a scan of its table under a snapshot, as `heap::each` takes it.
///
/// # Safety
/// - `index` is an open index.
pub unsafe fn description(index: pg_sys::Relation) -> *mut pg_sys::IndexInfo {
    // SAFETY: open by our contract; the description is a new one, in the current memory context.
    unsafe {
        let info = pg_sys::BuildIndexInfo(index);
        (*info).ii_Concurrent = true;
        (*info).ii_Unique = false;
        (*info).ii_ExclusionOps = null_mut();
        (*info).ii_ExclusionProcs = null_mut();
        (*info).ii_ExclusionStrats = null_mut();
        info
    }
}

//! `vw_as_owner`: a statement run with the rights of a table's owner.
//!
//! The worker that calls it is a superuser, and the table may have triggers of anybody's making. They run as they would
//! in VACUUM or REFRESH MATERIALIZED VIEW: the role cannot be changed back, nothing can be deferred until the rights are
//! ours again, and settings that they change are put back.

use super::args::Args;
use super::datum::Value;
use super::error::{Code, Fault, Result};
use super::function::pg_functions;
use super::rows::Rows;
use pgrx::pg_sys;
use std::ffi::{CString, c_int};

/// Arguments of the statement: the third and all later ones of the function.
const FIRST: usize = 2;
const COUNT: usize = 3;

pg_functions! {
    /// vw_as_owner(relation regclass, statement text, keys jsonb, inputs bytea[], embeddings vector[])
    /// -> (ordinal int, input bytea).
    fn vw_as_owner(args) {
        let mut rows = Rows::begin(args, 2)?;
        // SAFETY: reads the rights of this process.
        if !unsafe { pg_sys::superuser() } {
            return Err(Fault::new(Code::ERRCODE_INSUFFICIENT_PRIVILEGE, "only a superuser acts for another role"));
        }
        let owner = owner_of(args.i32(0)?)?;
        let statement = CString::new(args.text(1)?).map_err(|_| Fault::internal("a statement has an inner NUL"))?;
        // An ERROR in between leaves all of it to the end of the subtransaction, which puts it right.
        let before = become_role(owner);
        // SAFETY: a transaction is running; the level is ended below.
        let level = unsafe { pg_sys::NewGUCNestLevel() };
        run(args, &statement, &mut rows)?;
        // SAFETY: both put back what was there before, in the order opposite to that of the changes.
        unsafe {
            pg_sys::AtEOXact_GUC(false, level);
            pg_sys::SetUserIdAndSecContext(before.0, before.1);
        }
        Result::Ok(Value::void())
    }
}

/// The owner of a table.
fn owner_of(relation: i32) -> Result<pg_sys::Oid> {
    let relation = pg_sys::Oid::from(relation as u32);
    // SAFETY: looks a row of the catalog up, which is released before we return.
    unsafe {
        let cache = pg_sys::SysCacheIdentifier::RELOID as c_int;
        let tuple = pg_sys::SearchSysCache1(cache, pg_sys::Datum::from(relation));
        if tuple.is_null() {
            return Err(Fault::new(Code::ERRCODE_UNDEFINED_TABLE, format!("table {relation} does not exist")));
        }
        let owner = (*pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_class>()).relowner;
        pg_sys::ReleaseSysCache(tuple);
        Ok(owner)
    }
}

/// Act with the rights of a role; gives the role and the restrictions before.
fn become_role(role: pg_sys::Oid) -> (pg_sys::Oid, c_int) {
    let (mut before, mut restrictions) = (pg_sys::InvalidOid, 0);
    let added = pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION;
    // SAFETY: the out-parameters are ours; the end of the subtransaction puts the role back where an ERROR comes first.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&mut before, &mut restrictions);
        pg_sys::SetUserIdAndSecContext(role, restrictions | added as c_int);
    }
    (before, restrictions)
}

/// Run the statement and hand its rows on.
fn run(args: &Args, statement: &CString, rows: &mut Rows) -> Result<()> {
    let mut types = [pg_sys::InvalidOid; COUNT];
    let mut values = [pg_sys::Datum::from(0); COUNT];
    let mut nulls = [b'n' as std::ffi::c_char; COUNT];
    for (at, ((kind, value), null)) in types.iter_mut().zip(&mut values).zip(&mut nulls).enumerate() {
        // SAFETY: the frame is live, and its function knows the types of the expression that it was called by.
        *kind = unsafe { pg_sys::get_fn_expr_argtype((*args.frame()).flinfo, (FIRST + at) as c_int) };
        if let Some(given) = args.get(FIRST + at) {
            (*value, *null) = (given, b' ' as std::ffi::c_char);
        }
    }
    // SAFETY: the three arrays have an entry for each argument; what the statement gives lives until SPI_finish, and is
    // copied before.
    unsafe {
        pg_sys::SPI_connect();
        let (count, limit) = (COUNT as c_int, 0);
        let (types, values, nulls) = (types.as_mut_ptr(), values.as_mut_ptr(), nulls.as_ptr());
        let status = pg_sys::SPI_execute_with_args(statement.as_ptr(), count, types, values, nulls, false, limit);
        if status < 0 || pg_sys::SPI_tuptable.is_null() {
            return Err(Fault::internal(format!("a statement failed with status {status}")));
        }
        let found = &*pg_sys::SPI_tuptable;
        for at in 0..pg_sys::SPI_processed as usize {
            let tuple = *found.vals.add(at);
            let column = |number| {
                let mut null = false;
                let value = pg_sys::SPI_getbinval(tuple, found.tupdesc, number, &mut null);
                (!null).then_some(Value(value))
            };
            rows.put(&[column(1), column(2)])?;
        }
        pg_sys::SPI_finish();
    }
    Ok(())
}

//! `amvalidate`: what an operator class has to bring, which is one distance operator and the function behind it.

use pgrx::pg_sys;
use std::ffi::{CStr, c_char};

/// The one strategy: ordering by the distance to a value of the column's type.
pub const STRATEGIES: u16 = 1;
/// The one support function: a distance that orders as the operator does.
pub const FUNCTIONS: u16 = 1;

/// A row that the class's family has in `pg_amop` or `pg_amproc`, as far as it matters here.
struct Member {
    number: i16,
    left: pg_sys::Oid,
    right: pg_sys::Oid,
    /// Whether it is the operator or function that the index can use.
    usable: bool,
}

/// Check the class; what is wrong with it is told at level INFO, as the server's own methods do.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn validate(class: pg_sys::Oid) -> bool {
    let Some((name, family, key)) = class_of(class) else {
        pgrx::error!("cache lookup failed for operator class {}", class.to_u32());
    };
    let operators = members(pg_sys::SysCacheIdentifier::AMOPSTRATEGY, family, operator);
    let functions = members(pg_sys::SysCacheIdentifier::AMPROCNUM, family, function);
    let mut valid = true;
    for (what, most, found) in [("operator", STRATEGIES, operators), ("support function", FUNCTIONS, functions)] {
        for member in &found {
            let known = (1..=most as i16).contains(&member.number) && member.left == member.right;
            if !known || !member.usable {
                pgrx::info!("operator class \"{name}\" of an inverted file contains invalid {what} {}", member.number);
                valid = false;
            }
        }
        if !found.iter().any(|member| member.number == 1 && member.left == key) {
            pgrx::info!("operator class \"{name}\" of an inverted file is missing {what} 1");
            valid = false;
        }
    }
    valid
}

/// The class's name, its family, and the type of the column.
fn class_of(class: pg_sys::Oid) -> Option<(String, pg_sys::Oid, pg_sys::Oid)> {
    // SAFETY: the tuple is a row of pg_opclass, and is read before it is released.
    unsafe {
        let key = pg_sys::Datum::from(class);
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::CLAOID as i32, key);
        let row = pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_opclass>(tuple).as_ref()?;
        let name = CStr::from_ptr(row.opcname.data.as_ptr()).to_string_lossy().into_owned();
        let found = (name, row.opcfamily, row.opcintype);
        pg_sys::ReleaseSysCache(tuple);
        Some(found)
    }
}

/// Read what a family has in one of the two catalogs.
fn members(cache: u32, family: pg_sys::Oid, read: impl Fn(pg_sys::HeapTuple) -> Option<Member>) -> Vec<Member> {
    let none = pg_sys::Datum::from(0);
    // SAFETY: the list holds `n_members` entries, each with a tuple of the catalog, until it is released.
    unsafe {
        let list = pg_sys::SearchSysCacheList(cache as i32, 1, pg_sys::Datum::from(family), none, none);
        let entries = (*list).members.as_slice((*list).n_members.max(0) as usize);
        let found = entries.iter().filter_map(|entry| read(&raw mut (**entry).tuple)).collect();
        pg_sys::ReleaseCatCacheList(list);
        found
    }
}

/// Read an operator: it has to order by a float8.
fn operator(tuple: pg_sys::HeapTuple) -> Option<Member> {
    // SAFETY: called for rows of pg_amop.
    unsafe {
        let row = pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_amop>(tuple).as_ref()?;
        let orders = row.amoppurpose == pg_sys::AMOP_ORDER as c_char;
        let usable = orders && pg_sys::get_op_rettype(row.amopopr) == pg_sys::FLOAT8OID;
        Some(Member { number: row.amopstrategy, left: row.amoplefttype, right: row.amoprighttype, usable })
    }
}

/// Read a support function: it has to give a float8 for two values of the column's type.
fn function(tuple: pg_sys::HeapTuple) -> Option<Member> {
    // SAFETY: called for rows of pg_amproc; the array of argument types holds as many as are counted.
    unsafe {
        let row = pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_amproc>(tuple).as_ref()?;
        let (mut types, mut count) = (std::ptr::null_mut(), 0);
        let result = pg_sys::get_func_signature(row.amproc, &mut types, &mut count);
        let types = std::slice::from_raw_parts(types, count.max(0) as usize);
        let usable = result == pg_sys::FLOAT8OID && types == [row.amproclefttype; 2];
        Some(Member { number: row.amprocnum, left: row.amproclefttype, right: row.amprocrighttype, usable })
    }
}

//! Set-returning functions that answer all their rows at once, through a tuplestore.

use super::args::Args;
use super::datum::Value;
use super::error::{Code, Fault, Result};
use pgrx::pg_sys;

/// The rows of one call; the server owns the store once it is made.
pub struct Rows {
    store: *mut pg_sys::Tuplestorestate,
    shape: pg_sys::TupleDesc,
    columns: usize,
}

impl Rows {
    /// Begin the answer of a function declared `RETURNS TABLE` with `columns` columns.
    pub fn begin(args: &Args, columns: usize) -> Result<Rows> {
        let frame = args.frame();
        // SAFETY: the frame is live; its result info, when present and so tagged, is a ReturnSetInfo of the caller.
        unsafe {
            let info = (*frame).resultinfo.cast::<pg_sys::ReturnSetInfo>();
            let materialize = pg_sys::SetFunctionReturnMode::SFRM_Materialize;
            if info.is_null()
                || (*info).type_ != pg_sys::NodeTag::T_ReturnSetInfo
                || (*info).allowedModes as u32 & materialize == 0
            {
                let message = "set-valued function called in context that cannot accept a set";
                return Err(Fault::new(Code::ERRCODE_FEATURE_NOT_SUPPORTED, message));
            }
            let previous = pg_sys::MemoryContextSwitchTo((*(*info).econtext).ecxt_per_query_memory);
            let mut shape: pg_sys::TupleDesc = std::ptr::null_mut();
            let class = pg_sys::get_call_result_type(frame, std::ptr::null_mut(), &mut shape);
            if class != pg_sys::TypeFuncClass::TYPEFUNC_COMPOSITE || (*shape).natts as usize != columns {
                pg_sys::MemoryContextSwitchTo(previous);
                return Err(Fault::internal("the function's declaration does not match the library"));
            }
            let shape = pg_sys::CreateTupleDescCopy(shape);
            let random = (*info).allowedModes as u32 & pg_sys::SetFunctionReturnMode::SFRM_Materialize_Random != 0;
            let store = pg_sys::tuplestore_begin_heap(random, false, pg_sys::work_mem);
            (*info).returnMode = materialize;
            (*info).setResult = store;
            (*info).setDesc = shape;
            pg_sys::MemoryContextSwitchTo(previous);
            Ok(Rows { store, shape, columns })
        }
    }

    /// Add a row; `None` is NULL.
    pub fn put(&mut self, row: &[Option<Value>]) -> Result<()> {
        if row.len() != self.columns {
            return Err(Fault::internal("a row does not match the function's declaration"));
        }
        let mut values: Vec<_> = row.iter().map(|v| v.map_or(pg_sys::Datum::from(0), |v| v.0)).collect();
        let mut nulls: Vec<_> = row.iter().map(Option::is_none).collect();
        // SAFETY: the store and its shape live in per-query memory; both arrays hold one entry a column.
        unsafe { pg_sys::tuplestore_putvalues(self.store, self.shape, values.as_mut_ptr(), nulls.as_mut_ptr()) };
        Ok(())
    }
}

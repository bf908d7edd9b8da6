//! What an index is made of: how its operator class measures, what of a vector it keeps, and how a value becomes one.

use super::options::IndexOptions;
use crate::pg::error::{Code, Fault, Result};
use crate::pg::toast::Kept;
use crate::pg::varlena::Varlena;
use pgrx::pg_sys;
use std::ffi::CStr;
use vw_ivf::{Coding, Metric, Options};
use vw_vector::dense::stored;
use vw_vector::kernel::kernels;

/// Vectors of fewer dimensions are kept as they are: codes of so few tell nothing.
const CODED: u32 = 64;
/// Bits a dimension where the user does not say.
const BITS: u8 = 4;
/// Dimensions that rows of so many bits may have, so that one fits a page.
const MOST: [(u8, u32); 2] = [(8, 8_000), (4, 16_000)];

/// The elements of a value.
#[derive(Clone, Copy, PartialEq)]
enum Element {
    Single,
    Half,
    /// The index keeps nothing of values of this type, or measures in a way that codes cannot follow.
    Other,
}

/// The kind of an index.
pub struct Kind {
    element: Element,
    options: Options,
    /// Bits that the user asked for; 0 for as many as the index finds best.
    bits: u8,
}

impl Kind {
    /// Read an index's kind off its declaration.
    ///
    /// # Safety
    /// - `index` is an open index of ours.
    pub unsafe fn of(index: pg_sys::Relation) -> Kind {
        let (mut class, mut declared, mut collation) = (pg_sys::InvalidOid, -1, pg_sys::InvalidOid);
        // SAFETY: open by our contract, and every index has a first column and our one function; the places are ours.
        let (options, function, value) = unsafe {
            pg_sys::get_atttypetypmodcoll((*index).rd_id, 1, &mut class, &mut declared, &mut collation);
            let function = name(pg_sys::get_func_name(pg_sys::index_getprocid(index, 1, 1)));
            (IndexOptions::of(index), function, name(type_name(*(*index).rd_opcintype)))
        };
        let element = match value.as_str() {
            "vector" => Element::Single,
            "halfvec" => Element::Half,
            _ => Element::Other,
        };
        let metric = match function.as_str() {
            "vector_l2_squared_distance" | "halfvec_l2_squared_distance" => Some(Metric::L2),
            "vector_negative_inner_product" | "halfvec_negative_inner_product" => Some(Metric::InnerProduct),
            "cosine_distance" => Some(Metric::Cosine),
            _ => None,
        };
        let dimensions = u32::try_from(declared).unwrap_or(0);
        let bits = options.bits();
        let (element, coding) = match (element, metric) {
            (Element::Other, _) | (_, None) => (Element::Other, Coding::None),
            (element, Some(_)) if dimensions < CODED => (element, Coding::Raw),
            (element, Some(_)) => (element, Coding::Bits(if bits == 0 { BITS } else { bits })),
        };
        let metric = metric.unwrap_or(Metric::L2);
        Kind { element, options: Options { dimensions, lists: options.lists(), metric, coding }, bits }
    }

    /// What the meta page keeps of it.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Refuse what no index can be made of.
    pub fn check(&self) -> Result<()> {
        let dimensions = self.options.dimensions;
        if !matches!(self.bits, 0 | 1 | 2 | 4 | 8) {
            let message = format!("bits must be 1, 2, 4 or 8, not {}", self.bits);
            return Err(Fault::new(Code::ERRCODE_INVALID_PARAMETER_VALUE, message));
        }
        if self.element == Element::Other {
            return Ok(());
        }
        if dimensions == 0 {
            return Err(Fault::new(Code::ERRCODE_INVALID_PARAMETER_VALUE, "column does not have dimensions").hint(
                "Declare the column with them, such as vector(384), or index an expression: ((v::vector(384))).",
            ));
        }
        let most = MOST.iter().find(|(bits, _)| *bits <= self.bits).map_or(u32::MAX, |(_, most)| *most);
        if dimensions > most {
            let message = format!("column cannot have more than {most} dimensions for an index of {} bits", self.bits);
            return Err(Fault::new(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED, message));
        }
        Ok(())
    }

    /// The same as [`Kind::vector`], of one of many values that are read from a table.
    ///
    /// # Safety
    /// - As for [`Kind::vector`], and for [`Kept::flat`].
    pub unsafe fn vector_of_many(&self, datum: pg_sys::Datum, toast: &mut Kept, out: &mut Vec<f32>) -> Result<()> {
        // SAFETY: by our contract.
        unsafe {
            let flat = if self.element == Element::Other { datum } else { toast.flat(datum) };
            self.vector(flat, out)
        }
    }

    /// Write a value's elements to `out`, or nothing where the index keeps nothing of them. Fails where there are other
    /// dimensions than the index has.
    ///
    /// # Safety
    /// - `datum` is a value of the index's column that is not NULL.
    pub unsafe fn vector(&self, datum: pg_sys::Datum, out: &mut Vec<f32>) -> Result<()> {
        out.clear();
        if self.element == Element::Other {
            return Ok(());
        }
        // SAFETY: by our contract.
        let value = unsafe { Varlena::from_datum(datum, None) };
        let (kind, found) = match self.element {
            Element::Half => {
                let halves = stored::elements::<u16>(value.bytes())?;
                out.resize(halves.len(), 0.0);
                (kernels().f16_to_f32)(halves, out);
                ("halfvec", halves.len())
            }
            Element::Single | Element::Other => {
                let floats = stored::elements::<f32>(value.bytes())?;
                out.extend_from_slice(floats);
                ("vector", floats.len())
            }
        };
        if found == self.options.dimensions as usize {
            return Ok(());
        }
        // The words of an exact search, which measures the row first and the query second.
        let message = format!("different {kind} dimensions {} and {found}", self.options.dimensions);
        Err(Fault::new(Code::ERRCODE_DATA_EXCEPTION, message))
    }
}

/// The name of a type; null where there is no such type.
///
/// # Safety
/// - Runs inside a transaction.
unsafe fn type_name(kind: pg_sys::Oid) -> *mut std::ffi::c_char {
    // SAFETY: the tuple is a row of pg_type, and its name is copied before it is released.
    unsafe {
        let cache = pg_sys::SysCacheIdentifier::TYPEOID as i32;
        let tuple = pg_sys::SearchSysCache1(cache, pg_sys::Datum::from(kind));
        let Some(row) = pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_type>(tuple).as_ref() else {
            return std::ptr::null_mut();
        };
        let name = pg_sys::pstrdup(row.typname.data.as_ptr());
        pg_sys::ReleaseSysCache(tuple);
        name
    }
}

/// Take over a string that the server allocated.
///
/// # Safety
/// - `text` is null or a terminated string of palloc's that nobody else has.
unsafe fn name(text: *mut std::ffi::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: terminated and ours, by our contract.
    unsafe {
        let name = CStr::from_ptr(text).to_string_lossy().into_owned();
        pg_sys::pfree(text.cast());
        name
    }
}

//! Arrays in and out, of the few element types we take. Not a general array library.

use super::datum::Value;
use super::error::{Code, Fault, Result};
use super::varlena::{self, Varlena};
use pgrx::pg_sys;
use std::ops::Range;
use vw_vector::{Error, Plain, view, view_mut};

/// Bytes of the length word, which an array's own offsets count.
const HEADER: usize = 4;
/// Where the payload of a list holds its number of elements, behind dimensions, offset and type; then a lower bound.
const COUNT: usize = 12;
/// Where the payload of a list without NULLs holds its elements.
const DATA: usize = 20;

/// A detoasted array argument.
pub struct Array<'a> {
    value: Varlena<'a>,
}

/// The variable-length elements of an array.
pub struct Varlenas<'a> {
    values: Vec<Varlena<'a>>,
}

impl Varlenas<'_> {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The payload of each element, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter().map(Varlena::bytes)
    }
}

impl<'a> Array<'a> {
    pub(super) fn new(value: Varlena<'a>) -> Self {
        Array { value }
    }

    fn header(&self) -> &pg_sys::ArrayType {
        // SAFETY: the argument is declared as an array, so its bytes start with this header.
        unsafe { &*self.value.as_ptr().cast::<pg_sys::ArrayType>() }
    }

    /// Split into elements; NULLs are `None`.
    fn elements(&self) -> Result<Vec<Option<pg_sys::Datum>>> {
        let element_type = self.header().elemtype;
        let (mut length, mut by_value, mut align) = (0i16, false, 0 as std::ffi::c_char);
        let (mut values, mut nulls, mut count) = (std::ptr::null_mut(), std::ptr::null_mut(), 0);
        let mut out = Vec::new();
        // SAFETY: the array is valid and every out-parameter is ours; the two result arrays hold `count` entries.
        unsafe {
            pg_sys::get_typlenbyvalalign(element_type, &mut length, &mut by_value, &mut align);
            let array = self.value.as_ptr().cast();
            pg_sys::deconstruct_array(
                array,
                element_type,
                length.into(),
                by_value,
                align,
                &mut values,
                &mut nulls,
                &mut count,
            );
            let count = count.max(0) as usize;
            out.try_reserve_exact(count).map_err(|_| Fault::out_of_memory())?;
            for index in 0..count {
                out.push(if *nulls.add(index) { None } else { Some(*values.add(index)) });
            }
            pg_sys::pfree(values.cast());
            pg_sys::pfree(nulls.cast());
        }
        Ok(out)
    }

    /// Check that this is a list (no dimensions, or one) without NULLs, and count its elements.
    pub fn check_list(&self) -> Result<usize> {
        let header = self.header();
        if header.ndim > 1 {
            return Err(Fault::new(Code::ERRCODE_DATA_EXCEPTION, "array must be 1-D"));
        }
        // SAFETY: the array is valid.
        if header.dataoffset != 0 && unsafe { pg_sys::array_contains_nulls(self.value.as_ptr().cast()) } {
            return Err(contains_null());
        }
        let count = self.value.bytes().get(COUNT..DATA).filter(|_| header.ndim == 1).and_then(view::<i32>);
        let [count, _] = count.unwrap_or(&[0, 0]) else { return Err(malformed()) };
        usize::try_from(*count).map_err(|_| malformed())
    }

    /// The elements of a list of `count`, in place.
    fn plain<T: Plain>(&self, count: usize) -> Result<&[T]> {
        let start = usize::try_from(self.header().dataoffset).ok().filter(|offset| *offset > HEADER);
        let start = start.map_or(DATA, |offset| offset - HEADER);
        let bytes = self.value.bytes().get(start..start.saturating_add(count * size_of::<T>()));
        bytes.and_then(view).ok_or_else(malformed)
    }

    /// Read a list of int4, float4, float8 or numeric as float4.
    pub fn to_f32s(&self) -> Result<Vec<f32>> {
        let count = self.check_list()?;
        Ok(match self.header().elemtype {
            pg_sys::INT4OID => self.plain::<i32>(count)?.iter().map(|number| *number as f32).collect(),
            pg_sys::FLOAT4OID => self.plain::<f32>(count)?.to_vec(),
            pg_sys::FLOAT8OID => self.plain::<f64>(count)?.iter().map(|number| *number as f32).collect(),
            pg_sys::NUMERICOID => {
                let numbers = self.elements()?.into_iter().map(|element| element.map(numeric_to_f32));
                numbers.map(|number| number.ok_or_else(contains_null)).collect::<Result<_>>()?
            }
            _ => return Err(Fault::new(Code::ERRCODE_DATA_EXCEPTION, "unsupported array type")),
        })
    }

    /// The elements of a list of float8 that is not empty, in place; `None` where this is anything else.
    pub fn f64s(&self) -> Option<&[f64]> {
        f64s(self.value.bytes())
    }

    /// Read variable-length elements (text, bytea), each detoasted; flat ones are borrowed from the array.
    pub fn varlenas(&self) -> Result<Varlenas<'_>> {
        let varlena = [pg_sys::BYTEAOID, pg_sys::TEXTOID].contains(&self.header().elemtype);
        if !varlena {
            return Err(Fault::internal("expected an array of bytea or text"));
        }
        // SAFETY: the element types above are variable-length, and the result's lifetime keeps the array alive.
        let read = |datum| unsafe { Varlena::from_datum(datum, None) };
        let values = self.elements()?.into_iter().map(|element| element.map(read).ok_or_else(contains_null));
        Ok(Varlenas { values: values.collect::<Result<_>>()? })
    }

    /// Read the type modifiers of a declaration such as `vector(3)`.
    pub fn to_typmods(&self) -> Vec<i32> {
        let mut count = 0;
        // SAFETY: typmod input functions get cstring[]; the result holds `count` integers, and an ERROR is raised otherwise.
        unsafe {
            let list = pg_sys::ArrayGetIntegerTypmods(self.value.as_ptr().cast(), &mut count);
            std::slice::from_raw_parts(list, count.max(0) as usize).to_vec()
        }
    }
}

fn malformed() -> Fault {
    Fault::internal("an array's length does not match its header")
}

fn contains_null() -> Fault {
    Fault::new(Code::ERRCODE_NULL_VALUE_NOT_ALLOWED, "array must not contain nulls")
}

fn numeric_to_f32(datum: pg_sys::Datum) -> f32 {
    // SAFETY: called for elements of a numeric array only.
    let result = unsafe { pgrx::direct_function_call::<f32>(pg_sys::numeric_float4, &[Some(datum)]) };
    result.unwrap_or(f32::NAN)
}

/// Make an array of `elements` of a built-in type.
fn build(elements: &mut [pg_sys::Datum], element_type: pg_sys::Oid) -> Value {
    let (mut length, mut by_value, mut align) = (0i16, false, 0 as std::ffi::c_char);
    // SAFETY: the out-parameters are ours and the elements are of the type named.
    unsafe {
        pg_sys::get_typlenbyvalalign(element_type, &mut length, &mut by_value, &mut align);
        let count = elements.len() as i32;
        let array = pg_sys::construct_array(elements.as_mut_ptr(), count, element_type, length.into(), by_value, align);
        Value(pg_sys::Datum::from(array))
    }
}

/// Make a list of `count` numbers, which `fill` writes; `count` is not 0.
fn build_plain<T: Plain>(
    element_type: pg_sys::Oid,
    count: usize,
    fill: impl FnOnce(&mut [T]) -> std::result::Result<(), Error>,
) -> Result<Value> {
    varlena::build(DATA + count * size_of::<T>(), |bytes| {
        let (header, data) = bytes.split_at_mut_checked(DATA).ok_or_else(malformed)?;
        let words = [1, 0, element_type.to_u32() as i32, count as i32, 1];
        view_mut::<i32>(header).ok_or_else(malformed)?.copy_from_slice(&words);
        Ok(fill(view_mut(data).ok_or_else(malformed)?)?)
    })
}

/// Make a `real[]` of `count` numbers, which `fill` writes.
pub fn build_f32s(count: usize, fill: impl FnOnce(&mut [f32]) -> std::result::Result<(), Error>) -> Result<Value> {
    build_plain(pg_sys::FLOAT4OID, count, fill)
}

/// Make a `double precision[]` of `count` numbers, which `fill` writes.
pub fn build_f64s(count: usize, fill: impl FnOnce(&mut [f64]) -> std::result::Result<(), Error>) -> Result<Value> {
    build_plain(pg_sys::FLOAT8OID, count, fill)
}

/// Tell whether the payload of an array is a list of float8 without NULLs that is not empty, and where its numbers are.
fn f64_range(payload: &[u8]) -> Option<Range<usize>> {
    let header = view::<i32>(payload.get(..DATA)?)?;
    let [1, 0, element_type, count, _] = header else { return None };
    let is_f64 = *element_type == pg_sys::FLOAT8OID.to_u32() as i32;
    (is_f64 && *count > 0).then_some(DATA..DATA + usize::try_from(*count).ok()? * size_of::<f64>())
}

fn f64s(payload: &[u8]) -> Option<&[f64]> {
    payload.get(f64_range(payload)?).and_then(view)
}

/// The same of the payload of an array that may be changed.
pub fn f64s_mut(payload: &mut [u8]) -> Option<&mut [f64]> {
    let range = f64_range(payload)?;
    payload.get_mut(range).and_then(view_mut)
}

/// Make a `text[]`.
pub fn from_texts(values: &[&str]) -> Result<Value> {
    let mut elements = Vec::new();
    for value in values {
        elements.push(varlena::from_bytes(value.as_bytes())?.0);
    }
    Ok(build(&mut elements, pg_sys::TEXTOID))
}

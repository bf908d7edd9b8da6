//! Arrays in and out, of the few element types we take. Not a general array library.

use super::datum::Value;
use super::error::{Code, Fault, Result};
use super::varlena::Varlena;
use pgrx::pg_sys;
use std::marker::PhantomData;

/// A detoasted array argument.
pub struct Array {
    value: Varlena,
}

/// The variable-length elements of an array.
pub struct Varlenas<'a> {
    values: Vec<Varlena>,
    array: PhantomData<&'a Array>,
}

impl Varlenas<'_> {
    /// The payload of each element, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter().map(Varlena::bytes)
    }
}

impl Array {
    pub(super) fn new(value: Varlena) -> Self {
        Array { value }
    }

    fn header(&self) -> &pg_sys::ArrayType {
        // SAFETY: the argument is declared as an array, so its bytes start with this header.
        unsafe { &*self.value.as_ptr().cast::<pg_sys::ArrayType>() }
    }

    /// Number of dimensions; zero for an empty array.
    pub fn ndim(&self) -> i32 {
        self.header().ndim
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

    /// Read one-dimensional int4, float4, float8 or numeric elements as float4.
    pub fn to_f32s(&self) -> Result<Vec<f32>> {
        if self.ndim() > 1 {
            return Err(Fault::new(Code::ERRCODE_DATA_EXCEPTION, "array must be 1-D"));
        }
        let convert: fn(pg_sys::Datum) -> f32 = match self.header().elemtype {
            pg_sys::INT4OID => |datum| datum.value() as i32 as f32,
            pg_sys::FLOAT4OID => |datum| f32::from_bits(datum.value() as u32),
            pg_sys::FLOAT8OID => |datum| f64::from_bits(datum.value() as u64) as f32,
            pg_sys::NUMERICOID => numeric_to_f32,
            _ => return Err(Fault::new(Code::ERRCODE_DATA_EXCEPTION, "unsupported array type")),
        };
        let elements = self.elements()?;
        let mut out = Vec::new();
        out.try_reserve_exact(elements.len()).map_err(|_| Fault::out_of_memory())?;
        for element in elements {
            out.push(convert(element.ok_or_else(contains_null)?));
        }
        Ok(out)
    }

    /// Read one-dimensional float8 elements, the state of an aggregate.
    pub fn to_f64s(&self) -> Result<Vec<f64>> {
        if self.header().elemtype != pg_sys::FLOAT8OID {
            return Err(Fault::internal("expected an array of double precision"));
        }
        let elements = self.elements()?;
        elements.into_iter().map(|e| e.map(|d| f64::from_bits(d.value() as u64)).ok_or_else(contains_null)).collect()
    }

    /// Read variable-length elements (text, bytea), each detoasted; flat ones are borrowed from the array.
    pub fn varlenas(&self) -> Result<Varlenas<'_>> {
        let varlena = [pg_sys::BYTEAOID, pg_sys::TEXTOID].contains(&self.header().elemtype);
        if !varlena {
            return Err(Fault::internal("expected an array of bytea or text"));
        }
        // SAFETY: the element types above are variable-length, and the result's lifetime keeps the array alive.
        let read = |datum| unsafe { Varlena::from_datum(datum) };
        let values = self.elements()?.into_iter().map(|element| element.map(read).ok_or_else(contains_null));
        Ok(Varlenas { values: values.collect::<Result<_>>()?, array: PhantomData })
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

/// Make a `real[]`.
pub fn from_f32s(values: impl Iterator<Item = f32>) -> Value {
    let mut elements: Vec<_> = values.map(|value| pg_sys::Datum::from(value.to_bits())).collect();
    build(&mut elements, pg_sys::FLOAT4OID)
}

/// Make a `double precision[]`.
pub fn from_f64s(values: impl Iterator<Item = f64>) -> Value {
    let mut elements: Vec<_> = values.map(|value| pg_sys::Datum::from(value.to_bits())).collect();
    build(&mut elements, pg_sys::FLOAT8OID)
}

/// Make a `text[]`.
pub fn from_texts(values: &[&str]) -> Result<Value> {
    let mut elements = Vec::new();
    for value in values {
        elements.push(super::varlena::from_bytes(value.as_bytes())?.0);
    }
    Ok(build(&mut elements, pg_sys::TEXTOID))
}

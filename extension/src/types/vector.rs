//! The C functions of `vector`. Its Datum form is dimensions int16, an unused int16, then float4 elements, in native
//! byte order, byte for byte pgvector's; the functions' bodies are in `dense`.

use super::dense::{self, compare, dense_distances, dense_functions, hash};
use super::order::order_functions;
use crate::pg::datum::Value;
use crate::pg::error::Result;
use crate::pg::function::pg_functions;

/// Make a `vector` of elements that were checked before.
pub fn value_of(elements: &[f32]) -> Result<Value> {
    dense::value_of(elements)
}

dense_functions! { f32:
    io::input = vector_in,
    io::output = vector_out,
    io::typmod = vector_typmod_in,
    io::receive = vector_recv,
    io::send = vector_send,
    arithmetic::add = vector_add,
    arithmetic::sub = vector_sub,
    arithmetic::mul = vector_mul,
    arithmetic::concat = vector_concat,
    arithmetic::dims = vector_dims,
    arithmetic::norm = vector_norm,
    arithmetic::normalize = l2_normalize,
    arithmetic::part = subvector,
    arithmetic::quantize = binary_quantize,
    aggregate::accumulate_vector = vector_accum,
    aggregate::average_vector = vector_avg,
    cast::declared = vector,
    cast::from_array = array_to_vector,
    cast::to_array = vector_to_float4,
    cast::from_sparse = sparsevec_to_vector,
    cast::to_sparse = vector_to_sparsevec,
}

pg_functions! {
    /// Add two states of `avg`; of `halfvec`s too.
    fn vector_combine(args) { dense::aggregate::merge(args) }
}

dense_distances! { f32:
    l2 = l2_distance,
    l2_squared = vector_l2_squared_distance,
    inner_product = inner_product,
    negative_inner_product = vector_negative_inner_product,
    cosine = cosine_distance,
    l1 = l1_distance,
    spherical = vector_spherical_distance,
}

order_functions! {
    compare: compare::<f32>, hash: hash::<f32>;
    vector_lt, vector_le, vector_eq, vector_ne, vector_ge, vector_gt, vector_cmp, vector_hash, vector_hash_extended
}

//! The C functions of `halfvec`. Its Datum form is that of `vector` with IEEE halves for elements; the functions'
//! bodies are in `dense`.

use super::dense::{compare, dense_distances, dense_functions, hash};
use super::order::order_functions;

dense_functions! { u16:
    io::input = halfvec_in,
    io::output = halfvec_out,
    io::typmod = halfvec_typmod_in,
    io::receive = halfvec_recv,
    io::send = halfvec_send,
    arithmetic::add = halfvec_add,
    arithmetic::sub = halfvec_sub,
    arithmetic::mul = halfvec_mul,
    arithmetic::concat = halfvec_concat,
    arithmetic::dims = halfvec_vector_dims,
    arithmetic::norm = halfvec_l2_norm,
    arithmetic::normalize = halfvec_l2_normalize,
    arithmetic::part = halfvec_subvector,
    arithmetic::quantize = halfvec_binary_quantize,
    aggregate::accumulate_halfvec = halfvec_accum,
    aggregate::average_halfvec = halfvec_avg,
    cast::declared = halfvec,
    cast::from_array = array_to_halfvec,
    cast::to_array = halfvec_to_float4,
    cast::from_vector = vector_to_halfvec,
    cast::widen = halfvec_to_vector,
    cast::from_sparse = sparsevec_to_halfvec,
    cast::to_sparse = halfvec_to_sparsevec,
}

dense_distances! { u16:
    l2 = halfvec_l2_distance,
    l2_squared = halfvec_l2_squared_distance,
    inner_product = halfvec_inner_product,
    negative_inner_product = halfvec_negative_inner_product,
    cosine = halfvec_cosine_distance,
    l1 = halfvec_l1_distance,
    spherical = halfvec_spherical_distance,
}

order_functions! {
    compare: compare::<u16>, hash: hash::<u16>;
    halfvec_lt, halfvec_le, halfvec_eq, halfvec_ne, halfvec_ge, halfvec_gt, halfvec_cmp, halfvec_hash,
    halfvec_hash_extended
}

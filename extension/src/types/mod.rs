//! The SQL types: C functions whose logic is in vw-vector.

pub mod vector;

//! `vw-api`: HTTP over SQL calls.
fn main() {}

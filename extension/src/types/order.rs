//! The functions behind a type's comparison operators, btree class and hash class.

/// Define a type's comparison functions out of `compare(args) -> Result<Ordering>`, and its hash functions out of
/// `hash(args, seed) -> Result<u64>`; the 32-bit hash is the lower half of the one with seed 0.
macro_rules! order_functions {
    (
        compare: $compare:expr, hash: $hash:expr;
        $lt:ident, $le:ident, $eq:ident, $ne:ident, $ge:ident, $gt:ident, $cmp:ident, $hash32:ident, $hash64:ident
    ) => {
        $crate::pg::function::pg_functions! {
            fn $lt(args) { $compare(args).map(std::cmp::Ordering::is_lt) }
            fn $le(args) { $compare(args).map(std::cmp::Ordering::is_le) }
            fn $eq(args) { $compare(args).map(std::cmp::Ordering::is_eq) }
            fn $ne(args) { $compare(args).map(std::cmp::Ordering::is_ne) }
            fn $ge(args) { $compare(args).map(std::cmp::Ordering::is_ge) }
            fn $gt(args) { $compare(args).map(std::cmp::Ordering::is_gt) }
            fn $cmp(args) { $compare(args).map(|order| order as i32) }
            fn $hash32(args) { $hash(args, 0).map(|hash| hash as i32) }
            fn $hash64(args) { $hash(args, args.i64(1)?.cast_unsigned()).map(u64::cast_signed) }
        }
    };
}

pub(super) use order_functions;

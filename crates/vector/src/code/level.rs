//! The table of a level, whose functions are compiled with the level's features.

/// Make the table of a level: of the features `$features`, with the module's own `scan`, `dot`, `products`, `hadamard`,
/// `eight` and `checksum`. The other functions are plain Rust that the compiler makes the level's vector code of.
macro_rules! level {
    ($name:literal, $features:literal) => {
        Codes {
            name: $name,
            scan: level!(@fn $features, scan, (t: &[u8], p: &[u8]) -> [u32; LANES]),
            bounds: level!(
                @fn $features, bounds::bounds,
                (q: &Bounds, s: &[u32; LANES], n: &[Stored; LANES], f: &[Stored; LANES], lower: &mut [f32; LANES]) -> ()
            ),
            dot1: level!(@fn $features, dot::<1>, (c: &[u8], v: &[f32]) -> f32),
            dot2: level!(@fn $features, dot::<2>, (c: &[u8], v: &[f32]) -> f32),
            dot4: level!(@fn $features, dot::<4>, (c: &[u8], v: &[f32]) -> f32),
            dot8: level!(@fn $features, dot::<8>, (c: &[u8], v: &[f32]) -> f32),
            fours: level!(@fn $features, fours::fours, (c: &[u8], s: f32, to: &mut [f32]) -> ()),
            products: level!(@fn $features, products, (v: &[f32], m: &[f32], to: &mut [f32]) -> ()),
            eight: level!(
                @fn $features, eight,
                (v: &[[f32; DEEP]], p: &[Across], to: &mut [Across; DEEP]) -> ()
            ),
            one: level!(@fn $features, panel::one::<true>, (v: &[f32], p: &[Across], to: &mut Across) -> ()),
            measure: level!(@fn $features, rounding::measure, (v: &[f32], r: Rounding) -> (f32, f32)),
            round: level!(@fn $features, rounding::round, (v: &[f32], r: Rounding, c: &mut [u8]) -> ()),
            tables: level!(@fn $features, tables::tables, (v: &[f32], i: f32, t: &mut [u8]) -> ()),
            hadamard: level!(@fn $features, hadamard, (v: &mut [f32]) -> ()),
            checksum: level!(@fn $features, checksum, (s: u64, b: &[u8]) -> u32),
        }
    };
    // One function with the features. It is unsafe to call, but only the level's table holds it, and a level gives its
    // table out only where it has found the features.
    (@fn $features:literal, $body:path, ($($name:ident: $type:ty),*) -> $result:ty) => {{
        #[target_feature(enable = $features)]
        fn run($($name: $type),*) -> $result {
            #[allow(unused_unsafe, reason = "some bodies are plain Rust")]
            // SAFETY: this function has the features that the body needs.
            unsafe { $body($($name),*) }
        }
        // SAFETY: the table is given out only on a CPU that has the features.
        |$($name),*| unsafe { run($($name),*) }
    }};
}
pub(super) use level;

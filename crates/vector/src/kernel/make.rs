//! The macro that makes a level out of its registers: a type, and a table of functions compiled with its features.

/// Make a level: the type `$token` and its table, of the features `$features`, with the registers `$lanes`, and counting
/// bits by the functions `$hamming` and `$jaccard`, which are compiled with those features too.
macro_rules! level {
    ($token:ident, $name:literal, $features:literal, $lanes:ty, $hamming:path, $jaccard:path) => {
        /// The level, on a CPU that has its instructions.
        #[derive(Clone, Copy)]
        pub struct $token(());

        impl $token {
            /// Take the level for granted.
            ///
            /// # Safety
            /// - The CPU has the level's instructions: [`levels`](crate::kernel::levels) lists it.
            #[inline(always)]
            pub unsafe fn new() -> Self {
                Self(())
            }
        }

        level! { @sums $token,
            f32_l2_squared = lanes::l2_squared::<$lanes, f32>, (&[f32]) -> f32;
            f32_inner_product = lanes::inner_product::<$lanes, f32>, (&[f32]) -> f32;
            f32_l1 = lanes::l1::<$lanes, f32>, (&[f32]) -> f32;
            f32_cosine = lanes::cosine::<$lanes, f32>, (&[f32]) -> (f32, f32, f32);
            f16_l2_squared = lanes::l2_squared::<$lanes, u16>, (&[u16]) -> f32;
            f16_inner_product = lanes::inner_product::<$lanes, u16>, (&[u16]) -> f32;
            f16_l1 = lanes::l1::<$lanes, u16>, (&[u16]) -> f32;
            f16_cosine = lanes::cosine::<$lanes, u16>, (&[u16]) -> (f32, f32, f32);
            sparse_l2_squared = merge::l2_squared::<$lanes>, (Sparse) -> f32;
            sparse_inner_product = merge::inner_product::<$lanes>, (Sparse) -> f32;
            sparse_l1 = merge::l1::<$lanes>, (Sparse) -> f32;
            sparse_cosine = merge::cosine::<$lanes>, (Sparse) -> (f32, f32, f32);
            bits_hamming = $hamming, (&[u8]) -> u64;
            bits_jaccard = $jaccard, (&[u8]) -> (u64, u64);
        }

        static LEVEL: Kernels = Kernels {
            level: Level::$token,
            name: $name,
            f32_l2_squared: level!(@fn $token $features f32_l2_squared(&[f32]) -> f32),
            f32_inner_product: level!(@fn $token $features f32_inner_product(&[f32]) -> f32),
            f32_l1: level!(@fn $token $features f32_l1(&[f32]) -> f32),
            f32_cosine: level!(@fn $token $features f32_cosine(&[f32]) -> (f32, f32, f32)),
            f16_l2_squared: level!(@fn $token $features f16_l2_squared(&[u16]) -> f32),
            f16_inner_product: level!(@fn $token $features f16_inner_product(&[u16]) -> f32),
            f16_l1: level!(@fn $token $features f16_l1(&[u16]) -> f32),
            f16_cosine: level!(@fn $token $features f16_cosine(&[u16]) -> (f32, f32, f32)),
            sparse_l2_squared: level!(@fn $token $features sparse_l2_squared(Sparse) -> f32),
            sparse_inner_product: level!(@fn $token $features sparse_inner_product(Sparse) -> f32),
            sparse_l1: level!(@fn $token $features sparse_l1(Sparse) -> f32),
            sparse_cosine: level!(@fn $token $features sparse_cosine(Sparse) -> (f32, f32, f32)),
            f16_to_f32: level!(@convert $features lanes::widen::<$lanes>, (&[u16], &mut [f32])),
            f32_to_f16: level!(@convert $features lanes::narrow::<$lanes>, (&[f32], &mut [u16])),
            bits_hamming: level!(@fn $token $features bits_hamming(&[u8]) -> u64),
            bits_jaccard: level!(@fn $token $features bits_jaccard(&[u8]) -> (u64, u64)),
        };
    };
    (@sums $token:ident, $($name:ident = $body:path, ($element:ty) -> $result:ty;)+) => {
        impl Sums for $token {$(
            #[inline(always)]
            fn $name(self, left: $element, right: $element) -> $result {
                #[allow(unused_unsafe, reason = "counting bits is safe at some levels")]
                // SAFETY: a value of this type exists only where the CPU has the level's instructions.
                unsafe { $body(left, right) }
            }
        )+}
    };
    // One function with the features. It is unsafe to call, but only the level's table holds it, and a level gives its
    // table out only where it has found the features.
    (@fn $token:ident $features:literal $name:ident($element:ty) -> $result:ty) => {{
        #[target_feature(enable = $features)]
        fn run(left: $element, right: $element) -> $result {
            $token(()).$name(left, right)
        }
        // SAFETY: the table is given out only on a CPU that has the features.
        |left, right| unsafe { run(left, right) }
    }};
    (@convert $features:literal $body:path, ($from:ty, $to:ty)) => {{
        #[target_feature(enable = $features)]
        fn run(from: $from, to: $to) {
            // SAFETY: this function has the features that the body needs.
            unsafe { $body(from, to) }
        }
        // SAFETY: as above.
        |from, to| unsafe { run(from, to) }
    }};
}
pub(super) use level;

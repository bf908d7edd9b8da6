//! Levels as types, for functions that are compiled once per level with the loops inlined.
//!
//! A call through the table costs as much as a distance of 32 dimensions, so the shortest way is a whole function per
//! level, entered by one jump.

use super::kernels;
use crate::sparse::Sparse;

/// A level's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// [`Scalar`](super::Scalar).
    Scalar,
    /// `Avx2`.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// `Avx512`.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// `Counting`.
    #[cfg(target_arch = "x86_64")]
    Counting,
    /// `Neon`.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

/// The sums of a level; what each is says the field of its name in [`Kernels`](super::Kernels).
///
/// A value of a level's type exists only where the CPU has the level's instructions, which makes the functions safe.
/// They are inlined, and are fast where the function around them is compiled with the level's features.
#[allow(missing_docs, reason = "the fields of the table are documented")]
pub trait Sums: Copy {
    fn f32_l2_squared(self, left: &[f32], right: &[f32]) -> f32;
    fn f32_inner_product(self, left: &[f32], right: &[f32]) -> f32;
    fn f32_l1(self, left: &[f32], right: &[f32]) -> f32;
    fn f32_cosine(self, left: &[f32], right: &[f32]) -> (f32, f32, f32);
    fn f16_l2_squared(self, left: &[u16], right: &[u16]) -> f32;
    fn f16_inner_product(self, left: &[u16], right: &[u16]) -> f32;
    fn f16_l1(self, left: &[u16], right: &[u16]) -> f32;
    fn f16_cosine(self, left: &[u16], right: &[u16]) -> (f32, f32, f32);
    fn sparse_l2_squared(self, left: Sparse, right: Sparse) -> f32;
    fn sparse_inner_product(self, left: Sparse, right: Sparse) -> f32;
    fn sparse_l1(self, left: Sparse, right: Sparse) -> f32;
    fn sparse_cosine(self, left: Sparse, right: Sparse) -> (f32, f32, f32);
    fn bits_hamming(self, left: &[u8], right: &[u8]) -> u64;
    fn bits_jaccard(self, left: &[u8], right: &[u8]) -> (u64, u64);
}

/// The best level, through the table: for code of no level of its own.
#[derive(Clone, Copy)]
pub struct Best;

macro_rules! by_table {
    ($($name:ident($element:ty) -> $result:ty),+ $(,)?) => {
        impl Sums for Best {$(
            #[inline]
            fn $name(self, left: $element, right: $element) -> $result {
                (kernels().$name)(left, right)
            }
        )+}
    };
}

by_table! {
    f32_l2_squared(&[f32]) -> f32,
    f32_inner_product(&[f32]) -> f32,
    f32_l1(&[f32]) -> f32,
    f32_cosine(&[f32]) -> (f32, f32, f32),
    f16_l2_squared(&[u16]) -> f32,
    f16_inner_product(&[u16]) -> f32,
    f16_l1(&[u16]) -> f32,
    f16_cosine(&[u16]) -> (f32, f32, f32),
    sparse_l2_squared(Sparse) -> f32,
    sparse_inner_product(Sparse) -> f32,
    sparse_l1(Sparse) -> f32,
    sparse_cosine(Sparse) -> (f32, f32, f32),
    bits_hamming(&[u8]) -> u64,
    bits_jaccard(&[u8]) -> (u64, u64),
}

/// The body of a function with the C calling convention, compiled once per level: `$body` sees the argument and a
/// value of the level's type, and the best level's code is jumped to. The first call chooses it.
///
/// After it may come other functions, as `fn name: $other`, of the same level and argument. The body, or they, may give a
/// call up to them, as `unsafe { name(argument) }`: what would keep the registers of a short way busy goes there.
#[macro_export]
macro_rules! at_best_level {
    (($argument:ident: $type:ty) -> $result:ty, |$level:ident| $body:expr $(, fn $other:ident: $else:expr)* $(,)?) => {{
        use std::sync::atomic::{AtomicPtr, Ordering};

        type Function = unsafe extern "C-unwind" fn($type) -> $result;
        static CHOSEN: AtomicPtr<()> = AtomicPtr::new(choose as Function as *mut ());

        unsafe extern "C-unwind" fn scalar($argument: $type) -> $result {
            $(
                #[inline(never)]
                unsafe extern "C-unwind" fn $other($argument: $type) -> $result {
                    let $level = $crate::kernel::Scalar;
                    $else
                }
            )*
            let $level = $crate::kernel::Scalar;
            $body
        }
        $crate::at_best_level! {
            @level "x86_64" "avx2,fma,f16c,popcnt",
            fn avx2($argument: $type) -> $result, |$level: Avx2| $body $(, fn $other: $else)*
        }
        $crate::at_best_level! {
            @level "x86_64" "avx512f,avx512bw,avx512vl,avx2,fma,f16c,popcnt",
            fn avx512($argument: $type) -> $result, |$level: Avx512| $body $(, fn $other: $else)*
        }
        $crate::at_best_level! {
            @level "x86_64" "avx512f,avx512bw,avx512vl,avx512vpopcntdq,avx2,fma,f16c,popcnt",
            fn counting($argument: $type) -> $result, |$level: Counting| $body $(, fn $other: $else)*
        }
        $crate::at_best_level! {
            @level "aarch64" "neon",
            fn neon($argument: $type) -> $result, |$level: Neon| $body $(, fn $other: $else)*
        }

        #[cold]
        unsafe extern "C-unwind" fn choose($argument: $type) -> $result {
            let best: Function = match $crate::kernel::kernels().level {
                $crate::kernel::Level::Scalar => scalar,
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::Level::Avx2 => avx2,
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::Level::Avx512 => avx512,
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::Level::Counting => counting,
                #[cfg(target_arch = "aarch64")]
                $crate::kernel::Level::Neon => neon,
            };
            CHOSEN.store(best as *mut (), Ordering::Relaxed);
            // SAFETY: the caller's promise is that of the function around the body; the CPU has the best level.
            unsafe { best($argument) }
        }

        // SAFETY: what is stored is always one of the functions above, and they keep one promise.
        unsafe { std::mem::transmute::<*mut (), Function>(CHOSEN.load(Ordering::Relaxed))($argument) }
    }};
    (@level $arch:literal $features:literal,
        fn $name:ident($argument:ident: $type:ty) -> $result:ty, |$level:ident: $token:ident| $body:expr
        $(, fn $other:ident: $else:expr)*
    ) => {
        #[cfg(target_arch = $arch)]
        #[target_feature(enable = $features)]
        unsafe extern "C-unwind" fn $name($argument: $type) -> $result {
            $(
                #[inline(never)]
                #[target_feature(enable = $features)]
                unsafe extern "C-unwind" fn $other($argument: $type) -> $result {
                    // SAFETY: this is called only by the function around it and the others in it.
                    let $level = unsafe { $crate::kernel::$token::new() };
                    $else
                }
            )*
            // SAFETY: this is called only where the level is the best one that the CPU has.
            let $level = unsafe { $crate::kernel::$token::new() };
            $body
        }
    };
}

//! Instruction sets: what a kernel is compiled for, and which one runs here.
//!
//! A kernel is written once, as an `#[inline(always)]` function generic over [`Isa`]. The macro
//! [`multiversion!`](crate::multiversion) compiles it once per instruction set and selects the instance at run time by a [`Level`].
//!
//! Rules that make such a body vectorise (each was measured):
//! - only arithmetic, bit casts, comparisons with `if … {a} else {b}` on plain values; no calls that are not `#[inline(always)]`
//!   (closures can't be: pass a type with a trait method instead);
//! - the fused multiply-add through [`Isa::fma`], never `f64::mul_add` (without hardware it is a library call);
//! - LLVM does not interleave loops for a generic CPU, so loop over explicit chunks (see [`crate::math::slice`]).
//!
//! # Example
//! ```
//! use pullback_ad::isa::{Isa, Level};
//!
//! #[inline(always)]
//! fn axpy_body<I: Isa>(y: &mut [f64], a: f64, x: &[f64]) {
//!     for (y, x) in y.iter_mut().zip(x) {
//!         *y = I::fma(a, *x, *y);
//!     }
//! }
//!
//! pullback_ad::multiversion! {
//!     /// y ← a x + y.
//!     pub fn axpy, axpy_at(y: &mut [f64], a: f64, x: &[f64]) = axpy_body;
//! }
//!
//! let mut y = [1.0, 2.0];
//! axpy(&mut y, 10.0, &[1.0, 1.0]);
//! assert_eq!(y, [11.0, 12.0]);
//! // The instance for one instruction set, to keep in a table of kernels:
//! let kernel: fn(&mut [f64], f64, &[f64]) = axpy_at(Level::current());
//! kernel(&mut y, 1.0, &[1.0, 1.0]);
//! assert_eq!(y, [12.0, 13.0]);
//! ```
use std::sync::atomic::{AtomicU8, Ordering};

/// An instruction set, as a type parameter of a kernel.
///
/// The types are markers without values: code generic over `I: Isa` asks for constants and for the fused multiply-add.
pub trait Isa: Copy + 'static {
    /// Its name, as in the variable `PULLBACK_ISA`.
    const NAME: &'static str;
    /// Whether [`Isa::fma`] rounds once (true) or twice (false).
    const HAS_FMA: bool;

    /// a b + c, fused where the hardware does that in one instruction, else with two roundings.
    fn fma(a: f64, b: f64, c: f64) -> f64;

    /// The sums of eight rows, each as [`row_sum`] has it: the same bits on every instruction set.
    #[inline(always)]
    fn row_sums(rows: &[[f64; 8]; 8]) -> [f64; 8] {
        std::array::from_fn(|r| row_sum(&rows[r]))
    }
}

/// The sum of eight lanes: lanes four apart first, then two apart, then neighbours.
///
/// # Example
/// ```
/// assert_eq!(pullback_ad::isa::row_sum(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), 36.0);
/// ```
#[inline(always)]
pub fn row_sum(x: &[f64; 8]) -> f64 {
    ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
}

/// The baseline of the target, without fused multiply-add.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// x86-64 with AVX2 and FMA (4 lanes).
#[derive(Clone, Copy, Debug)]
pub struct Avx2;

/// x86-64 with AVX-512 F, DQ, VL, BW (8 lanes).
#[derive(Clone, Copy, Debug)]
pub struct Avx512;

/// AArch64, where two-lane SIMD with fused multiply-add is the baseline.
#[cfg(target_arch = "aarch64")]
#[derive(Clone, Copy, Debug)]
pub struct Neon;

impl Isa for Portable {
    const NAME: &'static str = "portable";
    const HAS_FMA: bool = false;

    #[inline(always)]
    fn fma(a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }
}

macro_rules! fused {
    ($isa:ty, $name:literal $(, $row_sums:path)?) => {
        impl Isa for $isa {
            const NAME: &'static str = $name;
            const HAS_FMA: bool = true;

            // Inlined into a function compiled for this instruction set it is one instruction; elsewhere a (correct) library call.
            #[inline(always)]
            fn fma(a: f64, b: f64, c: f64) -> f64 {
                a.mul_add(b, c)
            }

            $(
                #[inline(always)]
                fn row_sums(rows: &[[f64; 8]; 8]) -> [f64; 8] {
                    $row_sums(rows)
                }
            )?
        }
    };
}

#[cfg(target_arch = "x86_64")]
fused!(Avx2, "avx2", x86::row_sums_avx2);
#[cfg(target_arch = "x86_64")]
fused!(Avx512, "avx512", x86::row_sums_avx512);
#[cfg(not(target_arch = "x86_64"))]
fused!(Avx2, "avx2");
#[cfg(not(target_arch = "x86_64"))]
fused!(Avx512, "avx512");
#[cfg(target_arch = "aarch64")]
fused!(Neon, "neon");

/// Sums across lanes, which compilers make of strided loads: a transposition by halves, adding on the way.
///
/// The markers can be named without a [`Level`], so each function asks whether the machine has its instructions: one load and a predicted branch.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use std::arch::x86_64::{
        __m256d, __m512d, _mm256_add_pd, _mm256_permute2f128_pd, _mm256_unpackhi_pd,
        _mm256_unpacklo_pd, _mm512_add_pd, _mm512_shuffle_f64x2, _mm512_unpackhi_pd,
        _mm512_unpacklo_pd,
    };

    use super::row_sum;

    #[cold]
    #[inline(never)]
    #[allow(clippy::large_types_passed_by_value)] // A reference would keep the rows of the other path in memory.
    fn one_by_one(rows: [[f64; 8]; 8]) -> [f64; 8] {
        std::array::from_fn(|r| row_sum(&rows[r]))
    }

    #[inline(always)]
    pub fn row_sums_avx512(rows: &[[f64; 8]; 8]) -> [f64; 8] {
        if !std::arch::is_x86_feature_detected!("avx512f") {
            return one_by_one(*rows);
        }
        // SAFETY: the machine has AVX-512 F.
        unsafe { sums_avx512(rows) }
    }

    #[inline(always)]
    pub fn row_sums_avx2(rows: &[[f64; 8]; 8]) -> [f64; 8] {
        if !std::arch::is_x86_feature_detected!("avx") {
            return one_by_one(*rows);
        }
        // SAFETY: the machine has AVX.
        unsafe { sums_avx2(rows) }
    }

    /// Lanes four apart: two rows in one register.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn four(a: __m512d, b: __m512d) -> __m512d {
        _mm512_add_pd(
            _mm512_shuffle_f64x2::<0x44>(a, b),
            _mm512_shuffle_f64x2::<0xEE>(a, b),
        )
    }

    /// Lanes two apart: four rows in one register.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn two(a: __m512d, b: __m512d) -> __m512d {
        _mm512_add_pd(
            _mm512_shuffle_f64x2::<0x88>(a, b),
            _mm512_shuffle_f64x2::<0xDD>(a, b),
        )
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sums_avx512(rows: &[[f64; 8]; 8]) -> [f64; 8] {
        // SAFETY: vectors and arrays of doubles are plain bits of one size.
        let v: [__m512d; 8] = unsafe { std::mem::transmute(*rows) };
        let even = two(four(v[0], v[2]), four(v[4], v[6]));
        let odd = two(four(v[1], v[3]), four(v[5], v[7]));
        let sums = _mm512_add_pd(_mm512_unpacklo_pd(even, odd), _mm512_unpackhi_pd(even, odd));
        // SAFETY: as above.
        unsafe { std::mem::transmute(sums) }
    }

    /// The sums of four rows given as the sums of lanes four apart.
    #[inline]
    #[target_feature(enable = "avx")]
    fn four_rows(a: __m256d, b: __m256d, c: __m256d, d: __m256d) -> __m256d {
        let even = _mm256_add_pd(
            _mm256_permute2f128_pd::<0x20>(a, c),
            _mm256_permute2f128_pd::<0x31>(a, c),
        );
        let odd = _mm256_add_pd(
            _mm256_permute2f128_pd::<0x20>(b, d),
            _mm256_permute2f128_pd::<0x31>(b, d),
        );
        _mm256_add_pd(_mm256_unpacklo_pd(even, odd), _mm256_unpackhi_pd(even, odd))
    }

    #[inline]
    #[target_feature(enable = "avx")]
    fn sums_avx2(rows: &[[f64; 8]; 8]) -> [f64; 8] {
        // SAFETY: vectors and arrays of doubles are plain bits of one size.
        let v: [[__m256d; 2]; 8] = unsafe { std::mem::transmute(*rows) };
        let sums = [
            four_rows(
                _mm256_add_pd(v[0][0], v[0][1]),
                _mm256_add_pd(v[1][0], v[1][1]),
                _mm256_add_pd(v[2][0], v[2][1]),
                _mm256_add_pd(v[3][0], v[3][1]),
            ),
            four_rows(
                _mm256_add_pd(v[4][0], v[4][1]),
                _mm256_add_pd(v[5][0], v[5][1]),
                _mm256_add_pd(v[6][0], v[6][1]),
                _mm256_add_pd(v[7][0], v[7][1]),
            ),
        ];
        // SAFETY: as above.
        unsafe { std::mem::transmute(sums) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
enum Kind {
    Portable = 1,
    #[cfg(target_arch = "aarch64")]
    Neon = 2,
    #[cfg(target_arch = "x86_64")]
    Avx2 = 3,
    #[cfg(target_arch = "x86_64")]
    Avx512 = 4,
}

/// An instruction set that *this machine has*.
///
/// There is no way to make a value of a level that was not detected: having one is the proof that its kernels may run.
/// Levels are ordered, the widest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Level(Kind);

/// The cached result of [`Level::detect`] with the override applied; 0 before the first use.
static CURRENT: AtomicU8 = AtomicU8::new(0);

impl Level {
    /// The baseline: every machine has it.
    pub const PORTABLE: Level = Level(Kind::Portable);

    /// All levels of this machine, in rising order.
    pub fn available() -> Vec<Level> {
        #[allow(unused_mut)] // Nothing is added on architectures without a level of their own.
        let mut levels = vec![Level::PORTABLE];
        #[cfg(target_arch = "aarch64")]
        levels.push(Level(Kind::Neon));
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2")
                && std::arch::is_x86_feature_detected!("fma")
            {
                levels.push(Level(Kind::Avx2));
                if std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                {
                    levels.push(Level(Kind::Avx512));
                }
            }
        }
        levels
    }

    /// The widest level of this machine.
    pub fn detect() -> Level {
        Level::available()
            .into_iter()
            .max()
            .unwrap_or(Level::PORTABLE)
    }

    /// The level that kernels run with: the widest, or the one that the environment variable `PULLBACK_ISA`
    /// (`portable`, `avx2`, `avx512`, `neon`) names, if this machine has it. Read once per process.
    #[inline]
    pub fn current() -> Level {
        match CURRENT.load(Ordering::Relaxed) {
            #[cfg(target_arch = "x86_64")]
            4 => Level(Kind::Avx512),
            #[cfg(target_arch = "x86_64")]
            3 => Level(Kind::Avx2),
            #[cfg(target_arch = "aarch64")]
            2 => Level(Kind::Neon),
            1 => Level::PORTABLE,
            _ => Level::initialise(),
        }
    }

    #[cold]
    fn initialise() -> Level {
        let wanted = std::env::var("PULLBACK_ISA").unwrap_or_default();
        let level = Level::available()
            .into_iter()
            .find(|l| l.name() == wanted)
            .unwrap_or_else(Level::detect);
        CURRENT.store(level.0 as u8, Ordering::Relaxed);
        level
    }

    /// Its name: `portable`, `avx2`, `avx512` or `neon`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => Portable::NAME,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => Neon::NAME,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => Avx2::NAME,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => Avx512::NAME,
        }
    }

    /// One of the instances; what [`multiversion!`](crate::multiversion) selects with.
    #[doc(hidden)]
    #[inline]
    #[allow(unused_variables)] // Each architecture uses its own.
    pub fn select<F: Copy>(self, portable: F, neon: F, avx2: F, avx512: F) -> F {
        match self.0 {
            Kind::Portable => portable,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => neon,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => avx2,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => avx512,
        }
    }
}

/// Compiles one generic kernel for each instruction set.
///
/// `pub fn NAME, NAME_AT [T: Trait, …] (arguments) -> result = body;` (the bracket is optional) makes two functions from
/// an `#[inline(always)] fn body<I: Isa, T: Trait, …>(arguments) -> result`:
/// - `NAME(arguments)` runs the instance for [`Level::current`](crate::isa::Level::current);
/// - `NAME_AT(level)` returns the instance for a level as a plain `fn` pointer.
///
/// The instances are `#[target_feature]` functions. They are reached only through a [`Level`](crate::isa::Level), which exists only for detected
/// instruction sets; that is why the generated `unsafe` calls are sound. For the example see [`crate::isa`].
#[macro_export]
macro_rules! multiversion {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident, $at:ident $([$($g:ident : $bound:path),+ $(,)?])? ($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)? = $($body:ident)::+;
    )*) => {$(
        $(#[$meta])*
        #[inline]
        #[allow(clippy::too_many_arguments)] // The kernel decides on its arguments.
        $vis fn $name $(<$($g: $bound),+>)? ($($arg: $ty),*) $(-> $ret)? {
            ($at $(::<$($g),+>)? ($crate::isa::Level::current()))($($arg),*)
        }

        #[doc = concat!("The instance of [`", stringify!($name), "`] for an instruction set.")]
        #[inline]
        #[allow(unsafe_code, clippy::too_many_arguments, clippy::type_complexity)] // See the macro: generated calls, as the kernel decides.
        $vis fn $at $(<$($g: $bound),+>)? (level: $crate::isa::Level) -> fn($($ty),*) $(-> $ret)? {
            fn portable $(<$($g: $bound),+>)? ($($arg: $ty),*) $(-> $ret)? {
                $($body)::+::<$crate::isa::Portable $($(, $g)+)?>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            fn avx2 $(<$($g: $bound),+>)? ($($arg: $ty),*) $(-> $ret)? {
                #[target_feature(enable = "avx2,fma")]
                fn instance $(<$($g: $bound),+>)? ($($arg: $ty),*) $(-> $ret)? {
                    $($body)::+::<$crate::isa::Avx2 $($(, $g)+)?>($($arg),*)
                }
                // SAFETY: this function is only handed out below for a `Level` that was detected, so the CPU has the features.
                unsafe { instance $(::<$($g),+>)? ($($arg),*) }
            }

            #[cfg(target_arch = "x86_64")]
            fn avx512 $(<$($g: $bound),+>)? ($($arg: $ty),*) $(-> $ret)? {
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
                fn instance $(<$($g: $bound),+>)? ($($arg: $ty),*) $(-> $ret)? {
                    $($body)::+::<$crate::isa::Avx512 $($(, $g)+)?>($($arg),*)
                }
                // SAFETY: as above.
                unsafe { instance $(::<$($g),+>)? ($($arg),*) }
            }

            #[cfg(target_arch = "aarch64")]
            fn neon $(<$($g: $bound),+>)? ($($arg: $ty),*) $(-> $ret)? {
                $($body)::+::<$crate::isa::Neon $($(, $g)+)?>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            let table: [fn($($ty),*) $(-> $ret)?; 4] = [portable $(::<$($g),+>)?, portable $(::<$($g),+>)?, avx2 $(::<$($g),+>)?, avx512 $(::<$($g),+>)?];
            #[cfg(target_arch = "aarch64")]
            let table: [fn($($ty),*) $(-> $ret)?; 4] = [portable $(::<$($g),+>)?, neon $(::<$($g),+>)?, portable $(::<$($g),+>)?, portable $(::<$($g),+>)?];
            #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
            let table: [fn($($ty),*) $(-> $ret)?; 4] = [portable $(::<$($g),+>)?; 4];
            let [portable, neon, avx2, avx512] = table;
            level.select(portable, neon, avx2, avx512)
        }
    )*};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(always)]
    fn name_body<I: Isa>() -> &'static str {
        I::NAME
    }

    multiversion! {
        fn name_here, name_at() -> &'static str = name_body;
    }

    #[test]
    fn each_level_runs_its_own_instance() {
        for level in Level::available() {
            assert_eq!(name_at(level)(), level.name());
        }
        assert_eq!(name_here(), Level::current().name());
    }

    #[inline(always)]
    fn row_sums_body<I: Isa>(rows: &[[f64; 8]; 8]) -> [f64; 8] {
        I::row_sums(rows)
    }

    multiversion! {
        fn row_sums_here, row_sums_at(rows: &[[f64; 8]; 8]) -> [f64; 8] = row_sums_body;
    }

    #[test]
    fn sums_of_rows_have_the_same_bits_everywhere() {
        let mut rows = [[0.0; 8]; 8];
        for (r, row) in rows.iter_mut().enumerate() {
            for (j, x) in row.iter_mut().enumerate() {
                // Magnitudes far apart, so that another order of the sums shows.
                *x = (1.0 + (r * 8 + j) as f64).sin() * 10_f64.powi((j * 5 % 7) as i32 * 3);
            }
        }
        rows[3][5] = f64::INFINITY;
        rows[6] = [-0.0; 8];
        let expected = rows.map(|row| row_sum(&row).to_bits());
        let _ = row_sums_here;
        for level in Level::available() {
            assert_eq!(
                row_sums_at(level)(&rows).map(f64::to_bits),
                expected,
                "{}",
                level.name()
            );
        }
    }

    #[test]
    fn levels_rise_and_start_with_portable() {
        let levels = Level::available();
        assert_eq!(levels[0], Level::PORTABLE);
        assert!(levels.is_sorted());
        assert_eq!(levels.last(), Some(&Level::detect()));
    }
}

//! The functions of one value: the portable instances, the same bits on every machine
//! (but for sin, cos, tan beyond 2²⁰ and pow at its special values, which are the standard library's). Arguments in the order of the slice kernels;
//! `atan2(y, x)` takes the ordinate first, as everywhere.
//!
//! # Example
//! ```
//! use pullback_ad::math::scalar;
//!
//! assert_eq!(scalar::ln(1.0), 0.0);
//! assert_eq!(scalar::pow(3.0, 4.0), 81.0);
//! assert!((scalar::norm_cdf(-1.0) - 0.15865525393145705).abs() < 1e-16);
//! ```
macro_rules! scalars {
    ($map:ident, $trait:ident, $args:tt; $($name:ident, $at:ident, $ty:ident in $file:ident $(: $core:ident, $is_rare:ident, $rare:ident)?;)*) => {
        $(scalars!(@row $args $name $file);)*
    };
    (@row ($($arg:ident),+) $name:ident $file:ident) => {
        #[doc = concat!("[`", stringify!($name), "`](fn@super::", stringify!($file), "::", stringify!($name), ") of one value.")]
        #[inline]
        pub fn $name($($arg: f64),+) -> f64 {
            super::$file::$name::<crate::isa::Portable>($($arg),+)
        }
    };
}

for_each_unary!(scalars);
for_each_binary!(scalars);

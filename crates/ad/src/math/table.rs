//! The functions of this module, in one table: kernels ([`slice`](super::slice)) and functions of one value ([`scalar`](super::scalar)) are made from it.
//!
//! A row is `name, name_at, Type in file`, and, where the branch-free function covers part of the arguments only, `: core, is_rare, rare`.

/// Hands the table of functions of one argument to a macro.
macro_rules! for_each_unary {
    ($callback:ident) => {
        $callback! {
            map1, Map1, (x);
            exp, exp_at, Exp in exp;
            expm1, expm1_at, Expm1 in exp;
            ln, ln_at, Ln in ln;
            ln_1p, ln_1p_at, Ln1p in ln;
            log2, log2_at, Log2 in ln;
            log10, log10_at, Log10 in ln;
            sin, sin_at, Sin in trig: sin_near_zero, is_far, sin_far;
            cos, cos_at, Cos in trig: cos_near_zero, is_far, cos_far;
            tan, tan_at, Tan in trig: tan_near_zero, is_far, tan_far;
            asin, asin_at, Asin in inverse_trig;
            acos, acos_at, Acos in inverse_trig;
            atan, atan_at, Atan in inverse_trig;
            sinh, sinh_at, Sinh in hyperbolic;
            cosh, cosh_at, Cosh in hyperbolic;
            tanh, tanh_at, Tanh in hyperbolic;
            asinh, asinh_at, Asinh in hyperbolic;
            acosh, acosh_at, Acosh in hyperbolic;
            atanh, atanh_at, Atanh in hyperbolic;
            cbrt, cbrt_at, Cbrt in power;
            sigmoid, sigmoid_at, Sigmoid in logistic;
            softplus, softplus_at, Softplus in logistic;
            log1mexp, log1mexp_at, Log1mExp in logistic;
            erf, erf_at, Erf in erf;
            erfc, erfc_at, Erfc in erf;
            erfcx, erfcx_at, Erfcx in erf;
            norm_cdf, norm_cdf_at, NormCdf in normal;
            log_norm_cdf, log_norm_cdf_at, LogNormCdf in normal;
            norm_quantile, norm_quantile_at, NormQuantile in normal;
            lgamma, lgamma_at, Lgamma in gamma;
            digamma, digamma_at, Digamma in gamma;
            trigamma, trigamma_at, Trigamma in gamma;
        }
    };
}

/// Hands the table of functions of two arguments to a macro.
macro_rules! for_each_binary {
    ($callback:ident) => {
        $callback! {
            map2, Map2, (x, y);
            pow, pow_at, Pow in power: pow_finite, pow_is_rare, pow_rare;
            hypot, hypot_at, Hypot in power;
            atan2, atan2_at, Atan2 in inverse_trig;
            logaddexp, logaddexp_at, LogAddExp in logistic;
            xlogy, xlogy_at, Xlogy in logistic;
        }
    };
}

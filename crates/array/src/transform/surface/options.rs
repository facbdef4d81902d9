//! What the estimate of a surface term needs to know: widths, kernels, supports, exceptions.

use std::sync::Arc;

use crate::transform::Width;

/// A density on [-1, 1] in place of Dirac's δ: Kₕ(m) = K(m/h)/h. Both are symmetric: the bias of the estimate is O(h²).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SurfaceKernel {
    /// K(u) = ¾(1 − u²): the smallest mean squared error of all (Epanechnikov 1969, <https://doi.org/10.1137/1114019>).
    #[default]
    Epanechnikov,
    /// K(u) = (15/16)(1 − u²)²: smooth at the ends of the window.
    Biweight,
}

impl SurfaceKernel {
    /// Coefficients of 1, u², u⁴.
    pub(super) fn coefficients(self) -> [f64; 3] {
        match self {
            Self::Epanechnikov => [0.75, -0.75, 0.0],
            Self::Biweight => [15.0 / 16.0, -30.0 / 16.0, 15.0 / 16.0],
        }
    }

    /// h / (σ n^(-1/5)) of least mean squared error for the density of a normal sample (Silverman 1986, section 3.4; Scott 1992, table 6.2).
    pub(super) fn normal_reference(self) -> f64 {
        match self {
            Self::Epanechnikov => 2.34,
            Self::Biweight => 2.78,
        }
    }
}

/// How the surface terms of a program are estimated: a default, and what differs for decisions by the label of their mask or bin index.
#[derive(Debug, Clone, Default)]
pub struct Surface {
    width: Option<Width>,
    kernel: SurfaceKernel,
    widths: Vec<(Arc<str>, Width)>,
    supports: Vec<(Arc<str>, (f64, f64))>,
    pathwise: Vec<Arc<str>>,
}

impl Surface {
    /// Windows of half-width `width` for all decisions.
    pub fn new(width: impl Into<Width>) -> Self {
        Self {
            width: Some(width.into()),
            ..Self::default()
        }
    }

    /// No default: each decision needs a width of its own.
    pub fn by_label() -> Self {
        Self::default()
    }

    /// Another kernel.
    pub fn kernel(mut self, kernel: SurfaceKernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// The half-width for the decision of that label; `label#2` is the second one that is called so, as the ends of a window are. Of bins it is not more than half of the narrower bin beside the edge.
    pub fn width(mut self, label: &str, width: impl Into<Width>) -> Self {
        self.widths.push((Arc::from(label), width.into()));
        self
    }

    /// Between which values the sample has elements: margins of a comparison, values of what is binned. A window that reaches beyond gets a boundary kernel,
    /// which is exact for linear functions as the full one is (Jones 1993, equation 3.4, <https://doi.org/10.1007/BF00147776>).
    pub fn support(mut self, label: &str, from: f64, to: f64) -> Self {
        self.supports.push((Arc::from(label), (from, to)));
        self
    }

    /// Leaves out the surface term of the decision of that label: its derivative stays pathwise, at frozen selection, because the caller says so.
    pub fn pathwise(mut self, label: &str) -> Self {
        self.pathwise.push(Arc::from(label));
        self
    }

    /// The same with all widths that are numbers divided: what is best for a part of the events is too wide for all of them, by the fifth root of their ratio.
    pub fn narrowed(mut self, by: f64) -> Self {
        let own = self.widths.iter_mut().map(|(_, w)| w);
        for width in own.chain(&mut self.width) {
            if let Width::Value(h) = width {
                *h /= by;
            }
        }
        self
    }

    pub(super) fn kernel_used(&self) -> SurfaceKernel {
        self.kernel
    }

    pub(super) fn width_of(&self, label: &str) -> Option<&Width> {
        let own = self.widths.iter().rev().find(|(l, _)| &**l == label);
        own.map(|(_, w)| w).or(self.width.as_ref())
    }

    pub(super) fn support_of(&self, label: &str) -> Option<(f64, f64)> {
        let own = self.supports.iter().rev().find(|(l, _)| &**l == label);
        own.map(|(_, s)| *s)
    }

    pub(super) fn is_pathwise(&self, label: &str) -> bool {
        self.pathwise.iter().any(|l| &**l == label)
    }

    /// Every width that may be used.
    pub(super) fn all_widths(&self) -> impl Iterator<Item = &Width> {
        self.width.iter().chain(self.widths.iter().map(|(_, w)| w))
    }

    /// Labels that are named.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        let named = self.widths.iter().map(|(l, _)| l);
        let supported = self.supports.iter().map(|(l, _)| l);
        named.chain(supported).chain(&self.pathwise).map(|l| &**l)
    }
}

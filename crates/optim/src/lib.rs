//! Minimisers with bounds, covariances, and root finders, for objectives with exact derivatives.
//!
//! | job | type |
//! |---|---|
//! | minimise with gradient and Hessian (likelihood fits) | [`Newton`] |
//! | minimise with the gradient only, up to a few hundred parameters | [`Bfgs`] |
//! | minimise with the gradient only, many parameters | [`Lbfgs`] |
//! | minimise a sum of squares | [`LevenbergMarquardt`] |
//! | zero of a function of one variable | [`root::toms748`], [`root::newton_bracketed`] |
//! | zero of a system | [`NewtonRoot`] |
//! | train: Adam, L-BFGS step by step, bounded quantities, schedules, early stopping, several starts | [`training`] |
//! | covariance matrix at a minimum | [`covariance()`], [`least_squares_covariance`] |
//! | derivatives of a solution | [`FreeHessian`]; inside a program [`implicit`] |
//!
//! A minimum says in words what happened ([`Status`]); nothing is called converged with a Hessian that has a negative eigenvalue, and
//! there is no covariance where the Hessian is not positive definite.
//!
//! ```
//! use pullback_optim::{Minimiser, Newton, Objective, Problem, Unavailable};
//!
//! /// (x − 1)² + 10 (y − x²)²
//! struct Banana;
//!
//! impl Objective for Banana {
//!     fn dim(&self) -> usize { 2 }
//!     fn value(&mut self, x: &[f64]) -> f64 {
//!         (x[0] - 1.0).powi(2) + 10.0 * (x[1] - x[0] * x[0]).powi(2)
//!     }
//!     fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
//!         let r = x[1] - x[0] * x[0];
//!         g[0] = 2.0 * (x[0] - 1.0) - 40.0 * r * x[0];
//!         g[1] = 20.0 * r;
//!         self.value(x)
//!     }
//!     fn hessian(&mut self, x: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
//!         let r = x[1] - x[0] * x[0];
//!         h.copy_from_slice(&[2.0 - 40.0 * r + 80.0 * x[0] * x[0], -40.0 * x[0], -40.0 * x[0], 20.0]);
//!         Ok(())
//!     }
//! }
//!
//! let problem = Problem::new(vec![-1.2, 1.0]).with_bounds(0, f64::NEG_INFINITY, 0.5);
//! let minimum = Newton::default().minimise(&mut Banana, &problem)?;
//! assert!(minimum.converged());
//! assert_eq!(minimum.x, [0.5, 0.25]); // the bound is active
//! # Ok::<(), pullback_optim::OptimError>(())
//! ```

mod bfgs;
mod bordered;
mod box_step;
mod covariance;
mod error;
mod factor;
pub mod implicit;
mod lbfgs;
mod least_squares;
mod line_search;
mod minimiser;
mod minimum;
mod newton;
mod objective;
mod point;
mod problem;
mod quasi;
pub mod root;
mod system;
pub mod training;
mod trust;

pub use bfgs::Bfgs;
pub use bordered::Bordered;
pub use covariance::{Covariance, FreeHessian, covariance};
pub use error::OptimError;
pub use lbfgs::Lbfgs;
pub use least_squares::{
    LeastSquaresOptions, LevenbergMarquardt, Residuals, least_squares_covariance,
};
pub use minimiser::{Minimiser, Progress};
pub use minimum::{Counts, HessianState, Minimum, Status};
pub use newton::{Newton, NewtonOptions};
pub use objective::{Objective, Unavailable};
pub use problem::{Problem, Side};
pub use quasi::QuasiOptions;
pub use system::{NewtonRoot, SystemRoot};

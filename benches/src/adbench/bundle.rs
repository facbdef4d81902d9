//! Bundle adjustment: reprojection errors of points seen by cameras, as scalar code for one observation.

use pullback_ad::{Error, Function, JacobianWorkspace, Scalar, SparseMatrix, function};

use super::read::{ReadError, Reader};

/// Parameters of a camera: rotation vector, centre, focal length, principal point, radial distortion.
const CAMERA: usize = 11;
/// What an observation depends on: a camera, a point, its weight.
const LOCAL: usize = CAMERA + 3 + 1;

/// a × b.
#[inline(always)]
fn cross<S: Scalar>(a: [S; 3], b: [S; 3]) -> [S; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// a · b.
#[inline(always)]
fn dot<S: Scalar>(a: [S; 3], b: [S; 3]) -> S {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// `x` rotated about the direction of `r` by the angle |r|: x cos θ + (w × x) sin θ + w (w·x)(1 − cos θ), to first order where r = 0.
///
/// Reference: O. Rodrigues, J. Math. Pures Appl. 5 (1840) 380.
#[inline(always)]
fn rotate<S: Scalar>(r: [S; 3], x: [S; 3]) -> [S; 3] {
    let theta2 = dot(r, r);
    if theta2.value() == 0.0 {
        let [a, b, c] = cross(r, x);
        return [x[0] + a, x[1] + b, x[2] + c];
    }
    let theta = theta2.sqrt();
    let (sin, cos) = theta.sin_cos();
    let inverse = theta.recip();
    let w = [r[0] * inverse, r[1] * inverse, r[2] * inverse];
    let turned = cross(w, x);
    let along = dot(w, x) * (-cos + 1.0);
    [
        x[0] * cos + turned[0] * sin + w[0] * along,
        x[1] * cos + turned[1] * sin + w[1] * along,
        x[2] * cos + turned[2] * sin + w[2] * along,
    ]
}

function! {
    /// One observation: where the camera sees the point, minus the feature found there, times the weight.
    ///
    /// ```text
    /// e = w (f L(ρ) p + u − feature),   p = (X′/Z′, Y′/Z′),   (X′, Y′, Z′) = R(r)(X − C),   L = 1 + k₁ρ + k₂ρ²,   ρ = |p|²
    /// ```
    ///
    /// Inputs: r (3), C (3), f, u (2), k₁, k₂; X (3); w.
    #[derive(Debug)]
    pub struct Observation {
        /// Where the point was found in the picture.
        feature: [f64; 2],
    }
    fn eval(x: [15]) -> [2] {
        let [r1, r2, r3, c1, c2, c3, f, u1, u2, k1, k2, x1, x2, x3, w] = x;
        let [a, b, depth] = rotate([r1, r2, r3], [x1 - c1, x2 - c2, x3 - c3]);
        let (p1, p2) = (a / depth, b / depth);
        let rho = p1 * p1 + p2 * p2;
        let scale = f * ((k2 * rho + k1) * rho + 1.0);
        [(p1 * scale + u1 - feature[0]) * w, (p2 * scale + u2 - feature[1]) * w]
    }
}

/// A bundle adjustment problem: all cameras, points, weights and observations.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// Cameras.
    pub cameras: Vec<[f64; CAMERA]>,
    /// Points.
    pub points: Vec<[f64; 3]>,
    /// A weight per observation.
    pub weights: Vec<f64>,
    /// Camera and point of each observation.
    pub seen: Vec<(usize, usize)>,
    /// Where it was seen.
    pub features: Vec<[f64; 2]>,
}

impl Bundle {
    /// Reads `ba*.txt`: one camera, point, weight and feature, which stand for all; observation i is of point i mod m by camera i mod n.
    pub fn read(mut file: Reader) -> Result<Self, ReadError> {
        let n = file.count("n, the number of cameras")?;
        let m = file.count("m, the number of points")?;
        let p = file.count("p, the number of observations")?;
        let camera = file.array("a camera parameter")?;
        let point = file.array("a coordinate")?;
        let weight = file.number("a weight")?;
        let feature = file.array("a feature")?;
        file.end()?;
        Ok(Self {
            cameras: vec![camera; n],
            points: vec![point; m],
            weights: vec![weight; p],
            seen: (0..p).map(|i| (i % n, i % m)).collect(),
            features: vec![feature; p],
        })
    }

    /// Number of observations.
    pub fn observations(&self) -> usize {
        self.seen.len()
    }

    /// Number of parameters: cameras, then points, then weights.
    pub fn parameters(&self) -> usize {
        CAMERA * self.cameras.len() + 3 * self.points.len() + self.weights.len()
    }

    /// All parameters as one vector.
    pub fn flat(&self) -> Vec<f64> {
        let cameras = self.cameras.as_flattened().iter();
        let points = self.points.as_flattened().iter();
        cameras
            .chain(points)
            .chain(&self.weights)
            .copied()
            .collect()
    }

    /// What observation i depends on.
    #[inline(always)]
    fn local(&self, i: usize) -> [f64; LOCAL] {
        let (camera, point) = self.seen[i];
        let [r1, r2, r3, c1, c2, c3, f, u1, u2, k1, k2] = self.cameras[camera];
        let [x1, x2, x3] = self.points[point];
        let w = self.weights[i];
        [r1, r2, r3, c1, c2, c3, f, u1, u2, k1, k2, x1, x2, x3, w]
    }

    /// The 2p reprojection errors and the p errors 1 − w² of the weights.
    pub fn objective(&self, errors: &mut [f64]) -> Result<(), Error> {
        let (reprojection, weights) = errors.split_at_mut(2 * self.observations());
        for (i, error) in reprojection.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let feature = self.features[i];
            Observation { feature }.eval(&self.local(i), error)?;
        }
        for (error, w) in weights.iter_mut().zip(&self.weights) {
            *error = 1.0 - w * w;
        }
        Ok(())
    }

    /// The Jacobian with its pattern, all values zero: rows as in [`objective`](Self::objective), columns as in [`flat`](Self::flat).
    pub fn pattern(&self) -> Result<SparseMatrix, Error> {
        let (n, m) = (CAMERA * self.cameras.len(), 3 * self.points.len());
        let mut rows: Vec<Vec<usize>> = Vec::with_capacity(3 * self.observations());
        for (i, (camera, point)) in self.seen.iter().enumerate() {
            let camera = (0..CAMERA).map(|k| CAMERA * camera + k);
            let point = (0..3).map(|k| n + 3 * point + k);
            let row: Vec<usize> = camera.chain(point).chain([n + m + i]).collect();
            rows.extend([row.clone(), row]);
        }
        rows.extend((0..self.observations()).map(|i| vec![n + m + i]));
        SparseMatrix::from_pattern(self.parameters(), &rows)
    }

    /// Errors and Jacobian, block by block: what an observation depends on is known, so each block is a small dense Jacobian.
    pub fn jacobian(
        &self,
        workspace: &mut JacobianWorkspace,
        errors: &mut [f64],
        jacobian: &mut SparseMatrix,
    ) -> Result<(), Error> {
        let p = self.observations();
        let (reprojection, weights) = errors.split_at_mut(2 * p);
        let (blocks, slopes) = jacobian.values_mut().split_at_mut(2 * LOCAL * p);
        let blocks = blocks.as_chunks_mut::<LOCAL>().0.as_chunks_mut::<2>().0;
        for (i, (error, block)) in reprojection
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip(blocks)
            .enumerate()
        {
            let feature = self.features[i];
            workspace.jacobian_fixed(&Observation { feature }, &self.local(i), error, block)?;
        }
        for ((error, slope), &w) in weights.iter_mut().zip(slopes).zip(&self.weights) {
            let w = pullback_ad::Dual::<f64, 1>::variable(w, 0);
            let e = w * w * -1.0 + 1.0;
            (*error, *slope) = (e.re, e.eps[0]);
        }
        Ok(())
    }
}

/// The whole problem as one function of all parameters, which knows nothing of blocks: for [`pullback_ad::SparseJacobian`].
impl Function for Bundle {
    const INLINED: bool = true;

    fn outputs(&self) -> usize {
        3 * self.observations()
    }

    #[inline(always)]
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        if x.len() != self.parameters() || y.len() != self.outputs() {
            return Err(Error::Shape {
                what: "x",
                expected: self.parameters(),
                found: x.len(),
            });
        }
        let (cameras, rest) = x.split_at(CAMERA * self.cameras.len());
        let (points, weights) = rest.split_at(3 * self.points.len());
        let (cameras, points) = (cameras.as_chunks::<CAMERA>().0, points.as_chunks::<3>().0);
        let (reprojection, weight_errors) = y.split_at_mut(2 * self.observations());
        for (i, error) in reprojection.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let (camera, point) = self.seen[i];
            let mut local = [S::constant(0.0); LOCAL];
            local[..CAMERA].copy_from_slice(&cameras[camera]);
            local[CAMERA..CAMERA + 3].copy_from_slice(&points[point]);
            local[CAMERA + 3] = weights[i];
            let feature = self.features[i];
            Observation { feature }.eval(&local, error)?;
        }
        for (error, &w) in weight_errors.iter_mut().zip(weights) {
            *error = w * w * -1.0 + 1.0;
        }
        Ok(())
    }
}

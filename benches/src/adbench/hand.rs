//! Hand tracking: the distances between points and a posed, skinned hand, as scalar code for the whole hand.

use pullback_ad::{Error, Function, Scalar};

use super::read::{ReadError, Reader};

/// Parameters of a pose: global rotation and translation, four joint angles for each of five fingers.
const POSE: usize = 26;

/// A rigid transform of coordinates, rows of (rotation | translation).
type Affine<S> = [[S; 4]; 3];

/// A bone of the skeleton at rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Bone {
    /// Its name.
    pub name: String,
    /// The bone it hangs on, which stands before it; none for the wrist.
    pub parent: Option<usize>,
    /// From the parent's coordinates.
    pub relative: Affine<f64>,
    /// From the coordinates of the hand at rest.
    pub inverse: Affine<f64>,
}

/// A vertex of the skin.
#[derive(Clone, Debug, PartialEq)]
pub struct Vertex {
    /// Its place at rest.
    pub position: [f64; 3],
    /// The bones it follows, and how much.
    pub weights: Vec<(usize, f64)>,
}

/// What a measured point is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Anchor {
    /// A vertex.
    Vertex(usize),
    /// The point of a triangle of vertices that two further parameters (barycentric coordinates) choose: ADBench's *complicated* variant.
    Triangle([usize; 3]),
}

/// A hand and measured points.
#[derive(Clone, Debug, PartialEq)]
pub struct Hand {
    /// Bones, parents first: the wrist, then four per finger, then the forearm.
    pub bones: Vec<Bone>,
    /// The skin.
    pub skin: Vec<Vertex>,
    /// Measured points, and where on the hand they belong.
    pub points: Vec<(Anchor, [f64; 3])>,
    /// The parameters: the pose, then two coordinates for each point on a triangle.
    pub theta: Vec<f64>,
}

/// (rotation | translation) from 16 numbers, whose last row must be that of a rigid transform.
fn affine(file: &mut Reader, what: &'static str) -> Result<Affine<f64>, ReadError> {
    let rows = [file.array(what)?, file.array(what)?, file.array(what)?];
    for expected in [0.0, 0.0, 0.0, 1.0] {
        file.exactly(what, expected)?;
    }
    Ok(rows)
}

impl Hand {
    /// Reads `bones.txt`, `vertices.txt`, `triangles.txt` and `hand*.txt`; the last with two coordinates per point where `complicated`.
    pub fn read(
        [mut bones, mut vertices, mut triangles, mut points]: [Reader; 4],
        complicated: bool,
    ) -> Result<Self, ReadError> {
        let mut skeleton: Vec<Bone> = Vec::new();
        while bones.more() {
            skeleton.push(Bone {
                name: bones.word("a bone's name")?.to_owned(),
                parent: bones.index_or_none("a bone's parent", skeleton.len())?,
                relative: affine(&mut bones, "a bone's base transform")?,
                inverse: affine(&mut bones, "a bone's inverse absolute transform")?,
            });
        }
        let mut skin = Vec::new();
        while vertices.more() {
            let position = vertices.array("a vertex")?;
            // A normal and two texture coordinates, which nothing uses.
            vertices.array::<5>("a vertex's normal and texture")?;
            let n = vertices.count("the number of a vertex's bones")?;
            let weight = |file: &mut Reader| -> Result<(usize, f64), ReadError> {
                let bone = file.index("a vertex's bone", skeleton.len())?;
                Ok((bone, file.number("a vertex's weight")?))
            };
            skin.push(Vertex {
                position,
                weights: (0..n)
                    .map(|_| weight(&mut vertices))
                    .collect::<Result<_, _>>()?,
            });
        }
        let mut faces = Vec::new();
        while complicated && triangles.more() {
            let mut corner = || triangles.index("a triangle's vertex", skin.len());
            faces.push([corner()?, corner()?, corner()?]);
        }
        let n = points.count("the number of points")?;
        let pose = points.count("the number of pose parameters")?;
        if pose != POSE {
            return Err(points.wrong("the number of pose parameters", POSE, pose));
        }
        let anchor = |file: &mut Reader| -> Result<Anchor, ReadError> {
            Ok(if complicated {
                Anchor::Triangle(faces[file.index("a triangle", faces.len())?])
            } else {
                Anchor::Vertex(file.index("a vertex", skin.len())?)
            })
        };
        let measured = (0..n)
            .map(|_| Ok((anchor(&mut points)?, points.array("a measured point")?)))
            .collect::<Result<Vec<_>, ReadError>>()?;
        let us = points.numbers(
            "a coordinate on a triangle",
            if complicated { 2 * n } else { 0 },
        )?;
        let mut theta = points.numbers("a pose parameter", POSE)?;
        theta.extend(us);
        points.end()?;
        Ok(Self {
            bones: skeleton,
            skin,
            points: measured,
            theta,
        })
    }

    /// The transform of each bone from the hand at rest to the posed hand.
    #[inline(always)]
    fn transforms<S: Scalar>(&self, fingers: &[S]) -> Vec<Affine<S>> {
        let mut absolute: Vec<Affine<S>> = Vec::with_capacity(self.bones.len());
        let mut transforms = Vec::with_capacity(self.bones.len());
        for (i, bone) in self.bones.iter().enumerate() {
            // Of the four bones of a finger the second bends and spreads, the third and fourth bend.
            let relative = match (i.checked_sub(1).map(|i| (i / 4, i % 4)), fingers) {
                (Some((finger @ 0..5, 1)), angles) => bent(
                    &bone.relative,
                    angles[4 * finger],
                    Some(angles[4 * finger + 1]),
                ),
                (Some((finger @ 0..5, joint @ 2..4)), angles) => {
                    bent(&bone.relative, angles[4 * finger + joint], None)
                }
                _ => lifted(&bone.relative),
            };
            let placed = match bone.parent {
                Some(parent) => compose(&absolute[parent], &relative),
                None => relative,
            };
            transforms.push(compose_constant(&placed, &bone.inverse));
            absolute.push(placed);
        }
        transforms
    }

    /// A vertex of the posed hand before the global transform: the mean of what its bones would do with it.
    #[inline(always)]
    fn skinned<S: Scalar>(&self, transforms: &[Affine<S>], vertex: usize) -> [S; 3] {
        let Vertex {
            position: [x, y, z],
            weights,
        } = &self.skin[vertex];
        let mut place = [S::constant(0.0); 3];
        for &(bone, w) in weights {
            for (p, row) in place.iter_mut().zip(&transforms[bone]) {
                *p += row[0] * (x * w) + row[1] * (y * w) + row[2] * (z * w) + row[3] * w;
            }
        }
        place
    }
}

/// A constant transform as one of scalars.
#[inline(always)]
fn lifted<S: Scalar>(a: &Affine<f64>) -> Affine<S> {
    let mut out = [[S::constant(0.0); 4]; 3];
    for (out, a) in out.iter_mut().zip(a) {
        for (out, a) in out.iter_mut().zip(a) {
            *out = S::constant(*a);
        }
    }
    out
}

/// A transform followed, on its right, by rotations about z (spread) and x (bend).
#[inline(always)]
#[allow(
    clippy::manual_map,
    reason = "what is called back is not compiled for the instruction set"
)]
fn bent<S: Scalar>(a: &Affine<f64>, bend: S, spread: Option<S>) -> Affine<S> {
    let (sin, cos) = bend.sin_cos();
    let turn = match spread {
        Some(angle) => Some(angle.sin_cos()),
        None => None,
    };
    let mut out = lifted(a);
    for (out, a) in out.iter_mut().zip(a) {
        // Columns after the rotation about z.
        let (x, y) = match turn {
            Some((sin, cos)) => (cos * a[0] + sin * a[1], cos * a[1] - sin * a[0]),
            None => (S::constant(a[0]), S::constant(a[1])),
        };
        out[0] = x;
        (out[1], out[2]) = match turn {
            Some(_) => (y * cos + sin * a[2], cos * a[2] - y * sin),
            None => (cos * a[1] + sin * a[2], cos * a[2] - sin * a[1]),
        };
    }
    out
}

/// First b, then a.
#[inline(always)]
fn compose<S: Scalar>(a: &Affine<S>, b: &Affine<S>) -> Affine<S> {
    let mut out = *a;
    for (out, a) in out.iter_mut().zip(a) {
        for (k, out) in out.iter_mut().enumerate() {
            let sum = a[0] * b[0][k] + a[1] * b[1][k] + a[2] * b[2][k];
            *out = if k == 3 { sum + a[3] } else { sum };
        }
    }
    out
}

/// [`compose`] with a constant b.
#[inline(always)]
fn compose_constant<S: Scalar>(a: &Affine<S>, b: &Affine<f64>) -> Affine<S> {
    let mut out = *a;
    for (out, a) in out.iter_mut().zip(a) {
        for (k, out) in out.iter_mut().enumerate() {
            let sum = a[0] * b[0][k] + a[1] * b[1][k] + a[2] * b[2][k];
            *out = if k == 3 { sum + a[3] } else { sum };
        }
    }
    out
}

/// The rotation about the direction of `r` by the angle |r|; none below 10⁻⁴, as in ADBench.
#[inline(always)]
fn rotation<S: Scalar>(r: &[S]) -> [[S; 3]; 3] {
    let norm = (r[0] * r[0] + r[1] * r[1] + r[2] * r[2]).sqrt();
    let (zero, one) = (S::constant(0.0), S::constant(1.0));
    if norm.value() < 1e-4 {
        return [[one, zero, zero], [zero, one, zero], [zero, zero, one]];
    }
    let (x, y, z) = (r[0] / norm, r[1] / norm, r[2] / norm);
    let (s, c) = norm.sin_cos();
    let rest = -c + 1.0;
    let (xy, xz, yz) = (x * y * rest, x * z * rest, y * z * rest);
    let (xs, ys, zs) = (x * s, y * s, z * s);
    [
        [x * x * rest + c, xy - zs, xz + ys],
        [xy + zs, y * y * rest + c, yz - xs],
        [xz - ys, yz + xs, z * z * rest + c],
    ]
}

/// The 3N differences between the measured points and the hand.
impl Function for Hand {
    const INLINED: bool = true;

    fn outputs(&self) -> usize {
        3 * self.points.len()
    }

    #[inline(always)]
    fn eval<S: Scalar>(&self, theta: &[S], y: &mut [S]) -> Result<(), Error> {
        if theta.len() != self.theta.len() {
            return Err(Error::Shape {
                what: "theta",
                expected: self.theta.len(),
                found: theta.len(),
            });
        }
        let (pose, us) = theta.split_at(POSE);
        let turn = rotation(&pose[..3]);
        let transforms = self.transforms(&pose[6..]);
        let mut us = us.as_chunks::<2>().0.iter();
        for ((anchor, point), y) in self.points.iter().zip(y.as_chunks_mut::<3>().0) {
            let place = match (anchor, us.next()) {
                (&Anchor::Triangle([a, b, c]), Some(&[u, v])) => {
                    let (a, b, c) = (
                        self.skinned(&transforms, a),
                        self.skinned(&transforms, b),
                        self.skinned(&transforms, c),
                    );
                    let w = -u - v + 1.0;
                    [
                        a[0] * u + b[0] * v + c[0] * w,
                        a[1] * u + b[1] * v + c[1] * w,
                        a[2] * u + b[2] * v + c[2] * w,
                    ]
                }
                (&Anchor::Vertex(vertex) | &Anchor::Triangle([vertex, ..]), _) => {
                    self.skinned(&transforms, vertex)
                }
            };
            for (k, y) in y.iter_mut().enumerate() {
                let row = &turn[k];
                let hand = row[0] * place[0] + row[1] * place[1] + row[2] * place[2] + pose[3 + k];
                *y = -hand + point[k];
            }
        }
        Ok(())
    }
}

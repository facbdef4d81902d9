//! The Jacobian of an orbit's right-hand side in 6 states, beside its own `f64` evaluation in the same run.
//!
//! `cargo run --release -p pullback-benches --bin scalars`

use std::hint::black_box;

use pullback_ad::{Function, JacobianWorkspace, function, linearize};
use pullback_benches::{Row, paired};

/// What the speed table of the project asks for.
const OPERATIONS: usize = 57;

function! {
    /// A low orbit: central field, oblateness (J₂), drag in a co-rotating exponential atmosphere, relativity.
    ///
    /// Units: km, s. Montenbruck & Gill, *Satellite Orbits* (2000), chapter 3. The relativistic term takes the velocity relative to the
    /// atmosphere, a difference below 1e-10 of the acceleration.
    struct Orbit;
    fn eval(s: [6]) -> [6] {
        let [x, y, z, vx, vy, vz] = s;
        let r2 = x * x + y * y + z * z;
        let r = r2.sqrt();
        let inverse_r2 = r2.recip();
        let inverse_r3 = inverse_r2 / r;
        let tilt = z * z * inverse_r2;
        // 3/2·J₂·R² with R = 6378.137 km, J₂ = 1.0826e-3.
        let oblate = inverse_r2 * 66_063.4;
        let equatorial = oblate * (tilt * -5.0 + 1.0) + 1.0;
        let polar = equatorial + oblate * 2.0;
        // Velocity in the rotating atmosphere.
        let wx = vx + y * 7.292_115e-5;
        let wy = vy - x * 7.292_115e-5;
        let w2 = wx * wx + wy * wy + vz * vz;
        let speed = w2.sqrt();
        let density = ((r - 6378.137) * (-1.0 / 60.0)).exp();
        let radial = x * wx + y * wy + z * vz;
        // GM/c² = 4.4350e-6 km, 4·GM = 1.5944e6 km³/s².
        let weak = inverse_r3 * 4.435e-6;
        let central = inverse_r3 * -398_600.441_8 + weak * (r.recip() * 1.594_401_767e6 - w2);
        let along = density * -4e-9 * speed + weak * radial;
        let plane = central * equatorial;
        [
            vx,
            vy,
            vz,
            plane * x + along * wx,
            plane * y + along * wy,
            central * polar * z + along * vz,
        ]
    }
}

const STATE: [f64; 6] = [6800.0, 300.0, 1200.0, -0.5, 6.0, 4.5];

fn operations<F: Function>(f: &F) -> Result<usize, pullback_ad::Error> {
    Ok(linearize(f, &STATE)?.operations())
}

fn main() -> Result<(), pullback_ad::Error> {
    let count = operations(&Orbit)?;
    println!("{count} operations (wanted: {OPERATIONS})");

    let mut workspace = JacobianWorkspace::new();
    let mut plain = [0.0; 6];
    let (mut rate, mut jacobian) = ([0.0; 6], [[0.0; 6]; 6]);
    let pair = paired(
        || workspace.jacobian_fixed(&Orbit, black_box(&STATE), &mut rate, &mut jacobian),
        || Orbit.eval(black_box(&STATE), &mut plain),
    );
    Row::paired(
        "Jacobian, ODE right-hand side, 57 operations, 6 states",
        &pair,
    )
    .ratio_at_most(3.0, 2.2)
    .report();

    let mut entries = [0.0; 36];
    let pair = paired(
        || workspace.jacobian(&Orbit, black_box(&STATE), &mut rate, &mut entries),
        || Orbit.eval(black_box(&STATE), &mut plain),
    );
    Row::paired("the same through slices of any length", &pair).report();
    Ok(())
}

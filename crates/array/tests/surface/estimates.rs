//! Estimates against known densities: bias, boundary kernels, widths from a sample.

use pullback_ad::Real;
use pullback_array::transform::{self, Surface, SurfaceKernel, Width};
use pullback_array::{Bindings, Builder, Column, Flow, Last, Lowered, Program, Space};

use crate::harness::Random;

/// N(s) = number of x with x·s > c: of n values with density p, dN/ds = n p(c/s) c/s².
fn counting(threshold: f64) -> Program {
    let b = Builder::new();
    let x = b.input("x", b.stream("events"));
    let s = b.input("s", Space::SCALAR);
    let above = (x * s).gt(threshold.into()).named("cut");
    let n = above.select(1.0.into(), 0.0.into()).sum_all();
    b.finish(&[("N", n)]).unwrap()
}

fn surface_part(program: &Program, surface: &Surface, x: &[f64], more: &[f64]) -> f64 {
    let total = transform::jvp_total(program, &["N"], &["s"], surface).unwrap();
    let lowered = Lowered::new(total).unwrap();
    let mut ws = lowered.workspace();
    let mut columns = vec![Column::from(x), Column::from(&1.0)];
    columns.extend(more.iter().map(Column::from));
    columns.push(Column::from(&1.0));
    lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
    ws.scalar(3)
}

/// A grid in place of random values: no variance, only bias.
fn grid(n: usize, quantile: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..n)
        .map(|i| quantile((i as f64 + 0.5) / n as f64))
        .collect()
}

#[test]
fn bias_is_of_second_order_in_the_width() {
    // Exponential density: the integrand x·p(x) has second derivative (x − 2)e^-x at the threshold 1.
    let x = grid(400_000, |q| -(1.0 - q).ln());
    let exact = (-1.0_f64).exp() * x.len() as f64;
    let program = counting(1.0);
    for (kernel, variance) in [
        (SurfaceKernel::Epanechnikov, 1.0 / 5.0),
        (SurfaceKernel::Biweight, 1.0 / 7.0),
    ] {
        for h in [0.2, 0.4] {
            let surface = Surface::new(Width::input("h")).kernel(kernel);
            let found = surface_part(&program, &surface, &x, &[h]);
            // ½ h² ∫u²K du (x p)'' and a remainder of fourth order.
            let bias = -0.5 * h * h * variance * exact;
            assert!(
                (found - exact - bias).abs() < 0.02 * h * h * exact,
                "{kernel:?}, h = {h}: {} for a bias of {bias}",
                found - exact
            );
        }
    }
}

#[test]
fn boundary_kernel_is_right_where_the_sample_ends_inside_the_window() {
    // Uniform on [1, 2], threshold at 1.02: the window of 0.2 reaches far beyond the end of the sample.
    let x = grid(100_000, |q| 1.0 + q);
    let program = counting(1.02);
    let exact = 1.02 * x.len() as f64;
    for kernel in [SurfaceKernel::Epanechnikov, SurfaceKernel::Biweight] {
        let plain = Surface::new(0.2).kernel(kernel);
        let cut_off = surface_part(&program, &plain, &x, &[]);
        assert!(cut_off < 0.7 * exact, "{cut_off}");
        let corrected = plain.support("cut", -0.02, 0.98);
        let found = surface_part(&program, &corrected, &x, &[]);
        assert!(
            (found / exact - 1.0).abs() < 1e-3,
            "{found}, expected {exact}"
        );
    }
}

#[test]
fn boundary_kernel_at_the_first_edge_of_a_histogram() {
    // The content of a histogram that starts where the sample does; the first edge has events above it only.
    let b = Builder::new();
    let x = b.input("x", b.stream("events"));
    let s = b.input("s", Space::SCALAR);
    let edges = b.constant_f64(&[1.0, 1.5, 2.5], b.dense_of("edges", 3));
    let bin = (x * s - 0.0)
        .bin_index(edges, Flow::Drop, Last::Open)
        .named("bin");
    let bins = b.dense_of("bins", 2);
    let one = b.broadcast(1.0.into(), x.space());
    let n = one.scatter_add(bin, bins);
    let program = b.finish(&[("N", n)]).unwrap();
    let x = grid(100_000, |q| 1.0 + q);
    let n = x.len() as f64;
    let run = |surface: &Surface| {
        let total = transform::jvp_total(&program, &["N"], &["s"], surface).unwrap();
        let lowered = Lowered::new(total).unwrap();
        let mut ws = lowered.workspace();
        let columns = [Column::from(&x), Column::from(&1.0), Column::from(&1.0)];
        lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
        ws.f64(3).to_vec()
    };
    // From below come those that cross 1, up go those that cross 1.5.
    let found = run(&Surface::new(0.1).support("bin", 1.0, 2.0));
    let close = |found: f64, expected: f64| (found - expected).abs() < 2e-3 * n;
    assert!(close(found[0], n - 1.5 * n), "{found:?}");
    assert!(close(found[1], 1.5 * n), "{found:?}");
    let plain = run(&Surface::new(0.1));
    assert!(close(plain[0], 0.5 * n - 1.5 * n + 0.019 * n), "{plain:?}");
}

#[test]
fn widths_from_a_sample_are_the_rule_of_thumb() {
    let mut random = Random(3);
    // Sums of twelve: nearly normal, of standard deviation 1.
    let x: Vec<f64> = (0..32_000)
        .map(|_| random.values(12, 0.0, 1.0).iter().sum::<f64>() - 6.0)
        .collect();
    let program = counting(0.5);
    let inputs = Bindings::ordered(&[Column::from(&x), Column::from(&1.0)]);
    let kernel = SurfaceKernel::Epanechnikov;
    let surface = Surface::from_sample(&program, &["N"], &["s"], kernel, &inputs).unwrap();
    let found = surface_part(&program, &surface, &x, &[]);
    let same = surface_part(
        &program,
        &Surface::new(2.34 * 32_000f64.powf(-0.2)),
        &x,
        &[],
    );
    assert!((found / same - 1.0).abs() < 0.02, "{found} {same}");
    // A sample that says nothing gives no width, and that is said.
    let inputs = Bindings::ordered(&[Column::from(&[1.0]), Column::from(&1.0)]);
    let none = Surface::from_sample(&program, &["N"], &["s"], kernel, &inputs).unwrap();
    let error = transform::jvp_total(&program, &["N"], &["s"], &none).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("[PB0208] no width for the decision named `cut`")
    );
}

#[test]
fn a_width_that_is_no_width_when_it_runs_gives_nan_and_no_derivative_without_its_surface_term() {
    let program = counting(1.0);
    let x = grid(1000, |q| 2.0 * q);
    let surface = Surface::new(Width::input("h"));
    assert!((surface_part(&program, &surface, &x, &[0.1]) - 500.0).abs() < 1.0);
    for h in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let found = surface_part(&program, &surface, &x, &[h]);
        assert!(found.is_nan(), "h = {h}: {found}");
    }
    let b = Builder::new();
    let x = b.input("x", b.stream("events"));
    let s = b.input("s", Space::SCALAR);
    let edges = b.constant_f64(&[0.0, 1.0, 2.0], b.dense_of("edges", 3));
    let bin = (x * s).bin_index(edges, Flow::Drop, Last::Open);
    let ones = b.broadcast(1.0.into(), x.space());
    let filled = ones.scatter_add(bin, b.dense_of("bins", 2));
    let program = b.finish(&[("N", filled)]).unwrap();
    let total = transform::jvp_total(&program, &["N"], &["s"], &surface).unwrap();
    let lowered = Lowered::new(total).unwrap();
    let mut ws = lowered.workspace();
    for h in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let x = [0.4, 0.9, 1.05, 1.6];
        let columns = [(&x).into(), (&1.0).into(), (&h).into(), (&1.0).into()];
        lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
        assert!(ws.f64(3).iter().all(|d| d.is_nan()), "{h}: {:?}", ws.f64(3));
        // The value and the pathwise part know nothing of it.
        assert_eq!((ws.f64(0), ws.f64(2)), (&[2.0, 2.0][..], &[0.0, 0.0][..]));
    }
}

/// An event that is not selected may be near an edge with a number that has no derivative there: its weight is zero, and it says nothing.
#[test]
fn what_is_not_selected_needs_no_derivative() {
    let b = Builder::new();
    let events = b.stream("events");
    let (x, good) = (b.input("x", events), b.input("good", events));
    let s = b.input("s", Space::SCALAR);
    let y = (x * s).sqrt();
    let edges = b.constant_f64(&[-1.0, 0.0, 1.0, 9.0], b.dense_of("edges", 4));
    let index = y.bin_index(edges, Flow::Drop, Last::Open).named("y");
    let weight = good.gt(0.0.into()).select(1.0.into(), 0.0.into());
    let h = weight.scatter_add(index, b.dense_of("bins", 3));
    let program = b.finish(&[("h", h)]).unwrap();
    let total = transform::jvp_total(&program, &["h"], &["s"], &Surface::new(0.1)).unwrap();
    let lowered = Lowered::new(total).unwrap();
    let mut ws = lowered.workspace();
    let run = |ws: &mut _, good: f64| {
        // The square root of zero, at an edge, and a selected event at the next one.
        let (x, good) = ([0.0, 0.99], [good, 1.0]);
        let columns = [
            Column::from(&x),
            Column::from(&good),
            (&1.0).into(),
            (&1.0).into(),
        ];
        lowered.run(ws, &Bindings::ordered(&columns)).unwrap();
    };
    run(&mut ws, 0.0);
    let found = ws.f64(1).to_vec();
    assert!(
        found[1] < -1.0 && found[2] == -found[1] && found[0] == 0.0,
        "{found:?}"
    );
    run(&mut ws, 1.0);
    assert!(
        ws.f64(1)[0].is_nan(),
        "a selected one has none: {:?}",
        ws.f64(1)
    );
}

//! Regressions of the executor that random programs found.

use pullback_array::registry::Registry;
use pullback_array::{Builder, DType, Owned, Space, Type, text};

use crate::support::run;

/// A broadcast scalar that only a later phase reads was left out.
#[test]
fn a_whole_broadcast_that_a_sweep_reads_is_evaluated() {
    let b = Builder::new();
    let (bins, events) = (b.dense_of("bins", 3), b.stream("events"));
    let index = b.input_of("index", Type::new(DType::I64, events));
    let y = b.input("s", Space::SCALAR).broadcast(bins).gather(index);
    let program = b.finish(&[("y", y)]).unwrap();
    let inputs = [Owned::I64(vec![2, 0]), Owned::F64(vec![7.0])];
    assert_eq!(run(&program, &inputs).unwrap(), [[7.0, 7.0]]);
}

/// A slot that a later, larger value of the same phase grew lost what it held.
#[test]
fn a_mask_survives_until_its_slot_is_reused_by_something_larger() {
    let program = text::parse(
        r#"
bins: dense = 40
columns: dense = 2
events: stream
%0: f64[] "x" = input {name = "x", dtype = f64, to = []}
%1: f64[bins] "y" = input {name = "y", dtype = f64, to = [bins]}
%2: i64[events] "index" = input {name = "index", dtype = i64, to = [events]}
%3: f64[events] = splat %0 {to = [events]}
%4: f64[bins] = scatter_add %3 %2 {over = @bins, to = [bins]}
%5: f64[bins, columns] = splat %0 {to = [bins, columns]}
%6: f64[bins, columns] = expand %1 {to = [bins, columns], over = @columns}
%7: bool[bins, columns] = lt %5 %6
%8: f64[bins, columns] = expand %4 {to = [bins, columns], over = @columns}
%9: f64[bins, columns] = select %7 %8 %5
%10: f64[bins, columns] = exp %9
%11: f64[bins, columns] = atan %9
%12: f64[bins, columns] = tanh %9
%13: f64[bins, columns] = cosh %9
%14: f64[bins, columns] = add %10 %11
%15: f64[bins, columns] = add %12 %13
%16: f64[bins, columns] = mul %14 %15
return out = %16
"#,
        &Registry::standard(),
    )
    .unwrap();
    let y: Vec<f64> = (0..40).map(|k| f64::from(k) - 20.0).collect();
    let inputs = [
        Owned::F64(vec![0.5]),
        Owned::F64(y.clone()),
        Owned::I64(vec![39, 39, 0]),
    ];
    let filled = |k: usize| [0.5, 0.0, 1.0][if k == 0 { 0 } else { 1 + usize::from(k == 39) }];
    let expected: Vec<f64> = (0..40)
        .flat_map(|k| {
            let x: f64 = if 0.5 < y[k] { filled(k) } else { 0.5 };
            [(x.exp() + x.atan()) * (x.tanh() + x.cosh()); 2]
        })
        .collect();
    let found = &run(&program, &inputs).unwrap()[0];
    assert!(
        crate::support::deviation(found, &expected) < 1e-15,
        "{found:?}"
    );
}

//! The recurrent network.

use pullback_ad::Real;
use pullback_benches::adbench::{Lstm, Reader};

use crate::{close, plain, random, shared, step};

fn objective<R: Real>(lstm: &Lstm, x: &[R]) -> R {
    let (main, extra) = x.split_at(lstm.main.len());
    plain::lstm(
        [lstm.layers, lstm.bits],
        [main, extra],
        &lstm.state,
        &lstm.sequence,
    )
}

fn check(lstm: &Lstm, columns: impl Iterator<Item = usize>) {
    let (value, gradient) = (
        lstm.objective().expect("lowers"),
        lstm.gradient().expect("lowers"),
    );
    let (mut ws, mut ws_gradient) = (value.workspace(), gradient.workspace());
    value.run(&mut ws, &lstm.bindings()).expect("runs");
    gradient
        .run(&mut ws_gradient, &lstm.bindings())
        .expect("runs");
    let x = [&lstm.main[..], &lstm.extra].concat();
    close(
        "loss",
        &[ws.scalar(0), ws_gradient.scalar(0)],
        &[objective(lstm, &x); 2],
        1e-12,
    );
    let found = [ws_gradient.f64(1), ws_gradient.f64(2)].concat();
    assert_eq!(found.len(), x.len());
    let size = found.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for j in columns {
        let expected = step(&|x| vec![objective(lstm, x)], &x, j)[0];
        assert!(
            (found[j] - expected).abs() < 1e-12 * size,
            "{j}: {} instead of {expected}",
            found[j]
        );
    }
}

#[test]
fn loss_and_gradient_are_those_of_plain_loops() {
    let mut state = 9;
    for (layers, bits, characters) in [(1, 1, 2), (2, 3, 6), (3, 14, 20)] {
        let lstm = Lstm {
            layers,
            bits,
            main: random(&mut state, layers * 8 * bits),
            extra: random(&mut state, 3 * bits),
            state: random(&mut state, layers * 2 * bits),
            sequence: random(&mut state, characters * bits)
                .iter()
                .map(|x| f64::from(u8::from(*x > 0.0)))
                .collect(),
        };
        check(&lstm, 0..lstm.main.len() + lstm.extra.len());
    }
}

#[test]
fn the_published_input_too() {
    let Some(reader) = shared("lstm/lstm_l2_c1024.txt") else {
        return;
    };
    let lstm = Lstm::read(reader).expect("a network");
    assert_eq!((lstm.layers, lstm.characters(), lstm.bits), (2, 1024, 14));
    assert_eq!(lstm.main.len() + lstm.extra.len(), 266);
    check(&lstm, [0, 55, 120, 223, 224, 240, 265].into_iter());
}

#[test]
fn files_end_with_the_sequence() {
    let text = "1 2 1\n\n1 2 3 4 5 6 7 8\n\n9 10 11\n\n12 13\n\n0 1\n";
    let lstm = Lstm::read(Reader::text("lstm.txt", text)).expect("a network");
    assert_eq!(
        (lstm.extra, lstm.state, lstm.sequence),
        (vec![9.0, 10.0, 11.0], vec![12.0, 13.0], vec![0.0, 1.0])
    );
    let error =
        Lstm::read(Reader::text("lstm.txt", &(text.to_owned() + "1"))).expect_err("too long");
    assert!(error.to_string().contains("nothing more"), "{error}");
}

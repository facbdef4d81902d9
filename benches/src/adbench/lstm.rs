//! LSTM: the mean log-loss of a recurrent network with diagonal weights that predicts the next character, as an array program.

use pullback_ad::Real;
use pullback_array::region::Scan;
use pullback_array::{Bindings, Builder, Column, Lowered, Program, Result, Space, Sym, transform};

use super::read::{ReadError, Reader};

/// A network of some layers, and a sequence of characters in bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Lstm {
    /// Number of layers.
    pub layers: usize,
    /// Number of bits of a character, and of hidden units.
    pub bits: usize,
    /// For each layer the weights, then the biases, of the gates `forget`, `ingate`, `outgate`, `change`: layers × 2 × 4 × bits.
    pub main: Vec<f64>,
    /// Weights before the first layer, weights and biases after the last one: 3 × bits.
    pub extra: Vec<f64>,
    /// For each layer the hidden and the cell state at the start: layers × 2 × bits.
    pub state: Vec<f64>,
    /// The characters, characters × bits.
    pub sequence: Vec<f64>,
}

/// The rows of a value along its outermost level.
fn rows<'b, const N: usize>(b: &'b Builder, x: Sym<'b>) -> [Sym<'b>; N] {
    std::array::from_fn(|i| x.gather(b.integer(i as i64)))
}

/// The next (hidden, cell) of a layer with weights and biases w_f, w_i, w_o, w_c, b_f, b_i, b_o, b_c.
///
/// ```text
/// c′ = c σ(w_f x + b_f) + σ(w_i h + b_i) tanh(w_c h + b_c),    h′ = σ(w_o x + b_o) tanh c′
/// ```
fn step<R: Real>(parameters: &[R], input: R, hidden: R, cell: R) -> (R, R) {
    let [wf, wi, wo, wc, bf, bi, bo, bc]: [R; 8] = std::array::from_fn(|k| parameters[k]);
    let forget = (input * wf + bf).sigmoid();
    let ingate = (hidden * wi + bi).sigmoid();
    let outgate = (input * wo + bo).sigmoid();
    let change = (hidden * wc + bc).tanh();
    let cell = cell * forget + ingate * change;
    (outgate * cell.tanh(), cell)
}

impl Lstm {
    /// Reads `lstm_*.txt`.
    pub fn read(mut file: Reader) -> std::result::Result<Self, ReadError> {
        let layers = file.count("l, the number of layers")?;
        let characters = file.count("c, the number of characters")?;
        let bits = file.count("b, the number of bits")?;
        let main = file.numbers("a parameter of a gate", layers * 8 * bits)?;
        let extra = file.numbers("an extra parameter", 3 * bits)?;
        let state = file.numbers("a state", layers * 2 * bits)?;
        let sequence = file.numbers("a bit", characters * bits)?;
        file.end()?;
        Ok(Self {
            layers,
            bits,
            main,
            extra,
            state,
            sequence,
        })
    }

    /// Number of characters.
    pub fn characters(&self) -> usize {
        self.sequence.len() / self.bits
    }

    /// The mean log-loss
    ///
    /// ```text
    /// L = −1/((c − 1) b) Σₜ xₜ₊₁ · (yₜ − ln(2 + Σ exp yₜ)),    yₜ = w_out hₜ + b_out
    /// ```
    ///
    /// where hₜ is the hidden state of the last layer after character t, and the first layer sees w_in xₜ. Inputs `main`, `extra`, `state`,
    /// `sequence`; output `loss`.
    ///
    /// The loop over the characters is a scan: the program holds one step, and its gradient the transpose of one.
    pub fn record(&self) -> Result<Program> {
        let b = Builder::new();
        let bits = b.dense_of("bits", self.bits);
        let layers = b.dense_of("layers", self.layers);
        let (kinds, gates) = (b.dense_of("kinds", 2), b.dense_of("gates", 4));
        let (extras, states) = (b.dense_of("extras", 3), b.dense_of("states", 2));
        let characters = b.dense_of("characters", self.characters());
        let path = |levels: &[Space]| {
            levels
                .iter()
                .fold(Space::SCALAR, |path, level| b.join(path, *level))
        };
        let main = b.input("main", path(&[layers, kinds, gates, bits]));
        let extra = b.input("extra", path(&[extras, bits]));
        let state = b.input("state", path(&[layers, states, bits]));
        let sequence = b.input("sequence", path(&[characters, bits]));

        let [w_in, w_out, b_out] = rows(&b, extra);
        let (mut parameters, mut memory) = (Vec::new(), Vec::new());
        for k in 0..self.layers {
            let k = b.integer(k as i64);
            let [weights, biases] = rows(&b, main.gather(k));
            parameters.extend(rows::<4>(&b, weights));
            parameters.extend(rows::<4>(&b, biases));
            memory.extend(rows::<2>(&b, state.gather(k)));
        }
        // Each character but the last, and the one after it.
        let n = self.characters() as i64 - 1;
        let steps = b.dense_of("steps", n as usize);
        let shifted =
            |by: i64| sequence.gather(b.constant_i64(&(by..by + n).collect::<Vec<_>>(), steps));
        let (now, next) = (shifted(0), shifted(1));
        let found = Scan::along(steps).record(
            &b,
            &memory,
            &[now * w_in],
            &parameters,
            |_, memory, signal, parameters| {
                let (mut signal, mut after) = (signal[0], Vec::new());
                for (memory, layer) in memory.chunks(2).zip(parameters.chunks(8)) {
                    let (hidden, cell) = step(layer, signal, memory[0], memory[1]);
                    after.extend([hidden, cell]);
                    signal = hidden;
                }
                (after, vec![signal])
            },
        )?;
        let y = found.ys[0] * w_out + b_out;
        let norm = (y.exp().sum_last() + 2.0).ln();
        let loss = (next * (y - norm)).sum_all() * (-1.0 / (n as usize * self.bits) as f64);
        b.finish(&[("loss", loss)])
    }

    /// The objective, ready to run.
    pub fn objective(&self) -> Result<Lowered> {
        Lowered::new(self.record()?)
    }

    /// The objective with its gradient for the main and the extra parameters, ready to run.
    pub fn gradient(&self) -> Result<Lowered> {
        Lowered::new(transform::grad(
            &self.record()?,
            "loss",
            &["main", "extra"],
        )?)
    }

    /// The columns of a run.
    pub fn bindings(&self) -> Bindings<'_> {
        let columns: [Column<'_>; 4] =
            [&self.main, &self.extra, &self.state, &self.sequence].map(Column::from);
        Bindings::ordered(&columns)
    }
}

//! Axes: from numbers to pixels, with ticks at round numbers.

/// An axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    logarithmic: bool,
}

impl Scale {
    /// A linear axis from `domain` to `pixels`.
    pub fn linear(domain: (f64, f64), pixels: (f64, f64)) -> Self {
        Self {
            from: domain.0,
            to: domain.1,
            start: pixels.0,
            end: pixels.1,
            logarithmic: false,
        }
    }

    /// A logarithmic axis; the domain is positive.
    pub fn logarithmic(domain: (f64, f64), pixels: (f64, f64)) -> Self {
        Self {
            from: domain.0.log10(),
            to: domain.1.log10(),
            logarithmic: true,
            ..Self::linear(domain, pixels)
        }
    }

    /// The pixel of a number, clamped to the axis.
    pub fn at(&self, x: f64) -> f64 {
        let x = if self.logarithmic {
            x.max(f64::MIN_POSITIVE).log10()
        } else {
            x
        };
        let t = (x - self.from) / (self.to - self.from);
        // A number that is none (0/0 in a ratio) stands at the start.
        let t = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) };
        self.start + t * (self.end - self.start)
    }

    /// Round numbers on the axis, some `wished` of them, with their labels; an empty label is a small tick.
    pub fn ticks(&self, wished: usize) -> Vec<(f64, String)> {
        if self.logarithmic {
            self.decades()
        } else {
            self.steps(wished)
        }
    }

    fn steps(&self, wished: usize) -> Vec<(f64, String)> {
        let span = self.to - self.from;
        if !(span > 0.0 && span.is_finite()) {
            return Vec::new();
        }
        let rough = span / wished.max(1) as f64;
        let unit = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|m| m * unit)
            .find(|s| *s >= rough * 0.999)
            .unwrap_or(rough);
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        let first = (self.from / step - 1e-9).ceil();
        let last = (self.to / step + 1e-9).floor();
        let mut ticks = Vec::new();
        let mut i = first;
        while i <= last {
            let x = i * step;
            ticks.push((x, label(x, decimals)));
            i += 1.0;
        }
        ticks
    }

    fn decades(&self) -> Vec<(f64, String)> {
        let (low, high) = (self.from.floor() as i32, self.to.ceil() as i32);
        let few = self.to - self.from < 2.5;
        let mut ticks = Vec::new();
        for e in low..=high {
            for m in 1..10 {
                let x = f64::from(m) * 10_f64.powi(e);
                let inside = (self.from - 1e-9..=self.to + 1e-9).contains(&x.log10());
                if inside {
                    let labelled = m == 1 || (few && (m == 2 || m == 5));
                    let label = match labelled {
                        false => String::new(),
                        true if (-3..4).contains(&e) => label(x, (-e).max(0) as usize),
                        true if m == 1 => power(e),
                        true => format!("{m}·{}", power(e)),
                    };
                    ticks.push((x, label));
                }
            }
        }
        ticks
    }
}

/// A power of ten as it is printed: `10⁵`.
fn power(exponent: i32) -> String {
    let raised = exponent
        .to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            c => char::from_u32(0x2070 + c.to_digit(10).unwrap_or(0)).unwrap_or(c),
        })
        .collect::<String>();
    format!("10{raised}")
}

fn label(x: f64, decimals: usize) -> String {
    if x.abs() >= 1e5 || decimals > 4 {
        let text = format!("{x:.1e}");
        return text.replace(".0e", "e");
    }
    // No minus zero.
    format!("{:.decimals$}", x + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, wished: usize) -> Vec<String> {
        scale
            .ticks(wished)
            .into_iter()
            .map(|t| t.1)
            .filter(|l| !l.is_empty())
            .collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            labels(Scale::linear((0.0, 1.0), (0.0, 1.0)), 5),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            labels(Scale::linear((-3.0, 3.0), (0.0, 1.0)), 6),
            ["-3", "-2", "-1", "0", "1", "2", "3"]
        );
        assert_eq!(
            labels(Scale::linear((0.0, 4.2e6), (0.0, 1.0)), 4),
            ["0", "2e6", "4e6"]
        );
        assert_eq!(
            labels(Scale::logarithmic((0.5, 2e3), (0.0, 1.0)), 4),
            ["1", "10", "100", "1000"]
        );
        assert_eq!(
            labels(Scale::logarithmic((8.0, 110.0), (0.0, 1.0)), 4),
            ["10", "20", "50", "100"]
        );
        assert_eq!(
            labels(Scale::logarithmic((8e-5, 3e5), (0.0, 1.0)), 4),
            [
                "10⁻⁴", "0.001", "0.01", "0.1", "1", "10", "100", "1000", "10⁴", "10⁵"
            ]
        );
        assert_eq!(
            labels(Scale::logarithmic((1.5e4, 3e5), (0.0, 1.0)), 4),
            ["2·10⁴", "5·10⁴", "10⁵", "2·10⁵"]
        );
        assert!(Scale::linear((1.0, 1.0), (0.0, 1.0)).ticks(3).is_empty());
    }

    #[test]
    fn pixels_are_clamped() {
        let scale = Scale::logarithmic((1.0, 100.0), (200.0, 0.0));
        assert_eq!(
            (
                scale.at(10.0),
                scale.at(0.0),
                scale.at(1e9),
                scale.at(f64::NAN)
            ),
            (100.0, 200.0, 0.0, 200.0)
        );
    }
}

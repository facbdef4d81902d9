//! Programs as text.

use std::fmt::Write as _;

use super::lex;
use crate::attr::{Attr, Data};
use crate::program::{Node, Program};
use crate::space::{LevelId, LevelKind, Space};

/// The text of a program; [`parse`](super::parse) gives the program back.
///
/// # Example
/// ```
/// use pullback_array::{Builder, Space, text};
/// let b = Builder::new();
/// let x = b.input("x", b.dense("bins"));
/// let program = b.finish(&[("y", (x * x).named("x squared"))]).unwrap();
/// assert_eq!(text::print(&program), r#"bins: dense
/// %0: f64[bins] "x" = input {name = "x", dtype = f64, to = [bins]}
/// %1: f64[bins] "x squared" = square %0
/// return y = %1
/// "#);
/// ```
pub fn print(program: &Program) -> String {
    let mut out = String::new();
    Printer { program, indent: 0 }.program(&mut out);
    out
}

struct Printer<'a> {
    program: &'a Program,
    indent: usize,
}

impl Printer<'_> {
    fn line(&self, out: &mut String) {
        out.push('\n');
        for _ in 0..self.indent {
            out.push_str("  ");
        }
    }

    fn program(&self, out: &mut String) {
        let mut first = true;
        let mut start = |out: &mut String| {
            if !std::mem::take(&mut first) || self.indent > 0 {
                self.line(out);
            }
        };
        for level in self.program.levels() {
            start(out);
            word(out, &level.name);
            out.push_str(": ");
            match level.kind {
                LevelKind::Dense => out.push_str("dense"),
                LevelKind::Stream => out.push_str("stream"),
                LevelKind::Batch => out.push_str("batch"),
                LevelKind::Ragged { parent, offsets } => {
                    out.push_str("ragged ");
                    self.space(out, &parent);
                    write!(out, " by %{}", offsets.0).ok();
                }
            }
            if let Some(n) = level.len {
                write!(out, " = {n}").ok();
            }
        }
        for node in self.program.nodes() {
            start(out);
            self.node(out, node);
        }
        for (name, value) in self.program.outputs() {
            start(out);
            out.push_str("return ");
            word(out, name);
            write!(out, " = %{}", value.0).ok();
        }
        if self.indent == 0 {
            out.push('\n');
        }
    }

    fn node(&self, out: &mut String, node: &Node) {
        for (k, result) in node.results().enumerate() {
            if k > 0 {
                out.push_str(", ");
            }
            let value = self.program.value(result);
            write!(out, "%{}: {}", result.0, value.ty.dtype).ok();
            self.space(out, &value.ty.space);
            if let Some(label) = &value.label {
                out.push(' ');
                quoted(out, label);
            }
        }
        write!(out, " = {}", node.primitive.name()).ok();
        for a in &node.args {
            write!(out, " %{}", a.0).ok();
        }
        let mut any = false;
        for (name, attr) in node.attrs.iter() {
            out.push_str(if any { ", " } else { " {" });
            any = true;
            write!(out, "{name} = ").ok();
            self.attr(out, attr);
        }
        if any {
            out.push('}');
        }
    }

    fn attr(&self, out: &mut String, attr: &Attr) {
        match attr {
            Attr::Int(i) => write!(out, "{i}").unwrap_or_default(),
            Attr::F64(x) => double(out, *x),
            Attr::Str(s) => quoted(out, s),
            Attr::Level(l) => {
                out.push('@');
                self.level(out, *l);
            }
            Attr::Space(s) => self.space(out, s),
            Attr::DType(d) => out.push_str(d.name()),
            Attr::Data(d) => data(out, d),
            Attr::Program(p) => {
                out.push('(');
                Printer {
                    program: p,
                    indent: self.indent + 1,
                }
                .program(out);
                self.line(out);
                out.push(')');
            }
        }
    }

    fn space(&self, out: &mut String, space: &Space) {
        out.push('[');
        for (k, level) in space.iter().enumerate() {
            if k > 0 {
                out.push_str(", ");
            }
            self.level(out, level);
        }
        out.push(']');
    }

    fn level(&self, out: &mut String, level: LevelId) {
        word(out, &self.program.level(level).name);
    }
}

/// A name, quoted unless it is a word of its own.
fn word(out: &mut String, name: &str) {
    if lex::is_word(name) && name != "return" {
        out.push_str(name);
    } else {
        quoted(out, name);
    }
}

pub(crate) fn quoted(out: &mut String, s: &str) {
    out.push('"');
    for ch in s.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ch if ch.is_control() => write!(out, "\\u{{{:x}}}", ch as u32).unwrap_or_default(),
            ch => out.push(ch),
        }
    }
    out.push('"');
}

/// The shortest decimal that gives the same double; NaN with another payload than the usual one as bits.
fn double(out: &mut String, x: f64) {
    if x.is_nan() {
        if x.to_bits() == f64::NAN.to_bits() {
            out.push_str("nan");
        } else {
            write!(out, "nan:{:#018x}", x.to_bits()).ok();
        }
    } else {
        write!(out, "{x:?}").ok();
    }
}

fn data(out: &mut String, data: &Data) {
    fn list<T: Copy>(
        out: &mut String,
        name: &str,
        elements: &[T],
        mut one: impl FnMut(&mut String, T),
    ) {
        out.push_str(name);
        out.push('(');
        for (k, x) in elements.iter().enumerate() {
            if k > 0 {
                out.push_str(", ");
            }
            one(out, *x);
        }
        out.push(')');
    }
    match data {
        Data::F64(d) => list(out, "f64", d, double),
        Data::I64(d) => list(out, "i64", d, |out, i| {
            write!(out, "{i}").unwrap_or_default();
        }),
        Data::Bool(d) => list(out, "bool", d, |out, b| out.push(if b { '1' } else { '0' })),
    }
}

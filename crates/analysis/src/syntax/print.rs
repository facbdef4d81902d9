//! From a tree to text that parses to the same tree, with no more parentheses than needed.

use std::fmt;

use super::ast::{BinaryOp, End, Expr, ExprKind, Literal};

/// How tightly operators bind: the table of [`super::parse`].
pub(super) mod power {
    use super::super::ast::{BinaryOp, UnaryOp};

    pub const WHERE: u8 = 1;
    pub const IF: u8 = 2;
    pub const COMPARE: u8 = 6;
    pub const POW: u8 = 10;
    pub const POSTFIX: u8 = 11;

    pub fn unary(op: UnaryOp) -> u8 {
        match op {
            UnaryOp::Not => 5,
            UnaryOp::Neg => 9,
        }
    }

    pub fn binary(op: BinaryOp) -> u8 {
        match op {
            BinaryOp::Or => 3,
            BinaryOp::And => 4,
            BinaryOp::Add | BinaryOp::Sub => 7,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => 8,
            BinaryOp::Pow => POW,
        }
    }

    /// What the left operand must bind at least as tightly as.
    pub fn left(op: BinaryOp) -> u8 {
        binary(op) + u8::from(op == BinaryOp::Pow)
    }

    /// What the right operand must bind at least as tightly as.
    pub fn right(op: BinaryOp) -> u8 {
        if op == BinaryOp::Pow {
            unary(UnaryOp::Neg)
        } else {
            binary(op) + 1
        }
    }
}

fn own(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Where(..) => power::WHERE,
        ExprKind::If(..) => power::IF,
        ExprKind::Unary(op, _) => power::unary(*op),
        ExprKind::Binary(op, ..) => power::binary(*op),
        ExprKind::Compare(..) | ExprKind::Range { .. } | ExprKind::Set { .. } => power::COMPARE,
        _ => power::POSTFIX,
    }
}

fn has_unit(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Number(Literal { unit: Some(_), .. }))
}

struct Within<'e>(&'e Expr, u8);

impl fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if own(&self.0.kind) < self.1 {
            write!(f, "({})", self.0)
        } else {
            write!(f, "{}", self.0)
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, items: &[Expr]) -> fmt::Result {
    for (k, item) in items.iter().enumerate() {
        if k > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.integer {
            write!(f, "{}", self.value)?;
        } else {
            // Shortest digits that read back as the same double, always with a point or an exponent.
            write!(f, "{:?}", self.value)?;
        }
        match self.unit {
            None => Ok(()),
            Some((unit, 1)) => write!(f, " {}", unit.name()),
            Some((unit, power)) => write!(f, " {}**{power}", unit.name()),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(literal) => write!(f, "{literal}"),
            ExprKind::Bool(b) => write!(f, "{b}"),
            ExprKind::Name(name) => f.write_str(name),
            ExprKind::Field(x, field) => {
                write!(f, "{}.{}", Within(x, power::POSTFIX), field.name)
            }
            ExprKind::Index(x, i) => write!(f, "{}[{i}]", Within(x, power::POSTFIX)),
            ExprKind::Call(function, args) => {
                write!(f, "{}(", function.name)?;
                list(f, args)?;
                f.write_str(")")
            }
            ExprKind::Unary(op, x) => {
                let symbol = match op {
                    super::UnaryOp::Neg => "-",
                    super::UnaryOp::Not => "not ",
                };
                write!(f, "{symbol}{}", Within(x, power::unary(*op)))
            }
            // A power behind a unit would belong to the unit.
            ExprKind::Binary(BinaryOp::Pow, a, b) if has_unit(a) => {
                write!(f, "({a}) ** {}", Within(b, power::right(BinaryOp::Pow)))
            }
            ExprKind::Binary(op, a, b) => {
                let (a, b) = (Within(a, power::left(*op)), Within(b, power::right(*op)));
                write!(f, "{a} {} {b}", op.symbol())
            }
            ExprKind::Compare(first, rest) => {
                write!(f, "{}", Within(first, power::COMPARE + 1))?;
                rest.iter().try_for_each(|(op, x)| {
                    write!(f, " {} {}", op.symbol(), Within(x, power::COMPARE + 1))
                })
            }
            ExprKind::Range {
                value,
                negated,
                low,
                low_end,
                high,
                high_end,
            } => {
                let not = if *negated { "not " } else { "" };
                let open = if *low_end == End::Closed { '[' } else { '(' };
                let close = if *high_end == End::Closed { ']' } else { ')' };
                let value = Within(value, power::COMPARE + 1);
                write!(f, "{value} {not}in {open}{low}, {high}{close}")
            }
            ExprKind::Set {
                value,
                negated,
                elements,
            } => {
                let not = if *negated { "not " } else { "" };
                write!(f, "{} {not}in {{", Within(value, power::COMPARE + 1))?;
                list(f, elements)?;
                f.write_str("}")
            }
            ExprKind::If(a, c, b) => write!(
                f,
                "{} if {} else {}",
                Within(a, power::IF + 1),
                Within(c, power::IF + 1),
                Within(b, power::IF)
            ),
            ExprKind::Where(x, c) => write!(
                f,
                "{} where {}",
                Within(x, power::WHERE),
                Within(c, power::WHERE + 1)
            ),
        }
    }
}

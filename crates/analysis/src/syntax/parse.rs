//! From tokens to a tree, by binding powers (Pratt 1973, <https://doi.org/10.1145/512927.512931>).
//!
//! From loose to tight:
//!
//! | power | operators | |
//! |---|---|---|
//! | 1 | `x where c` | from the left |
//! | 2 | `a if c else b` | from the right |
//! | 3 | `or` | |
//! | 4 | `and` | |
//! | 5 | `not` | prefix |
//! | 6 | `< <= > >= == !=`, `in`, `not in` | chained: `60 < m < 120` is `60 < m and m < 120` |
//! | 7 | `+ -` | from the left |
//! | 8 | `* / %` | from the left |
//! | 9 | `-x` | prefix |
//! | 10 | `**` | from the right; `-x**2` is `-(x**2)` |
//! | 11 | `.name`, `[index]`, `name(..)` | |
//!
//! It is the order of Python. A number takes the unit that follows it, and a unit its power: `25 GeV**2` are 25 squared GeV.

use super::ast::{BinaryOp, CompareOp, End, Expr, ExprKind, Ident, Literal, Member, UnaryOp};
use super::lex::{KEYWORDS, Token, tokens};
use super::print::power;
use crate::error::{Error, Result};
use crate::place::{Source, Span};
use crate::units::Unit;
use pullback_io::nearest;

/// Longest path down the tree of an expression: what follows goes down it by recursion.
pub const MAX_DEPTH: usize = 200;

/// Longest text of an expression, in bytes.
pub const MAX_LENGTH: usize = 1 << 16;

const POWER_OF_A_UNIT: &str = "to raise a number with a unit to a power, write `(25 GeV) ** x`";

/// Parses an expression.
///
/// # Example
/// ```
/// use pullback_analysis::syntax::parse;
/// let e = parse(&"60 < m_ll < 120 and not (abs(eta) > 2.4)".into()).unwrap();
/// assert_eq!(e.to_string(), "60 < m_ll < 120 and not abs(eta) > 2.4");
/// ```
pub fn parse(source: &Source) -> Result<Expr> {
    let mut parser = Parser::new(source)?;
    let expr = parser.expr(1)?;
    parser.end()?;
    Ok(expr)
}

/// Parses `mu as a, mu as b`.
pub fn parse_list(source: &Source) -> Result<Vec<Member>> {
    let mut parser = Parser::new(source)?;
    let mut members = Vec::new();
    loop {
        let expr = parser.expr(1)?;
        let alias = if parser.take("as") {
            Some(parser.name("a name for the member")?)
        } else {
            None
        };
        members.push(Member { expr, alias });
        if !parser.take(",") {
            break;
        }
    }
    parser.end()?;
    Ok(members)
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Infix {
    Binary(BinaryOp),
    Compare,
    In,
    NotIn,
    If,
    Where,
}

fn comparison(word: &str) -> Option<CompareOp> {
    CompareOp::ALL.into_iter().find(|op| op.symbol() == word)
}

struct Parser<'s> {
    source: &'s Source,
    tokens: Vec<(Token, Span)>,
    at: usize,
    nested: usize,
}

impl<'s> Parser<'s> {
    fn new(source: &'s Source) -> Result<Self> {
        if source.text().len() > MAX_LENGTH {
            return Err(Error::TooLong {
                place: source.at(Span::default()),
                what: "bytes",
                limit: MAX_LENGTH,
            });
        }
        Ok(Self {
            source,
            tokens: tokens(source)?,
            at: 0,
            nested: 0,
        })
    }

    fn peek(&self) -> &Token {
        self.ahead(0)
    }

    fn ahead(&self, n: usize) -> &Token {
        self.tokens.get(self.at + n).map_or(&Token::End, |t| &t.0)
    }

    fn span(&self) -> Span {
        let end = self.source.text().len();
        let here = self.tokens.get(self.at);
        here.map_or(Span::new(end, end), |t| t.1)
    }

    fn is(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(w) if *w == word)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    fn unexpected<T>(&self, expected: &str, help: &str) -> Result<T> {
        Err(Error::Unexpected {
            place: self.source.at(self.span()),
            found: self.peek().describe(),
            expected: expected.into(),
            help: help.into(),
        })
    }

    fn expect(&mut self, word: &'static str) -> Result<Span> {
        let span = self.span();
        if self.take(word) {
            return Ok(span);
        }
        let help = match word {
            ")" | "]" | "}" => "a bracket was opened and is not closed",
            "else" => "a choice is written `a if condition else b`",
            _ => "",
        };
        self.unexpected(&format!("`{word}`"), help)
    }

    fn end(&mut self) -> Result<()> {
        match self.peek() {
            Token::End => Ok(()),
            Token::Name(_) | Token::Number(..) => self.unexpected(
                "an operator or the end",
                "between two values stands an operator, as in `a and b` or `2 * x`",
            ),
            Token::Word(_) => self.unexpected("an operator or the end", ""),
        }
    }

    fn name(&mut self, expected: &str) -> Result<Ident> {
        let span = self.span();
        if let Token::Name(name) = self.peek() {
            let name = name.clone();
            self.at += 1;
            return Ok(Ident { name, span });
        }
        let keyword = matches!(self.peek(), Token::Word(w) if KEYWORDS.contains(w));
        let help = if keyword {
            "this word has a meaning of its own and cannot be a name"
        } else {
            ""
        };
        self.unexpected(expected, help)
    }

    fn make(&self, kind: ExprKind, span: Span) -> Result<Expr> {
        let expr = Expr::new(kind, span);
        if expr.depth() > MAX_DEPTH {
            return Err(self.too_deep(span));
        }
        Ok(expr)
    }

    fn too_deep(&self, span: Span) -> Error {
        Error::TooLong {
            place: self.source.at(span),
            what: "levels of nesting",
            limit: MAX_DEPTH,
        }
    }

    /// An expression of operators that bind at least as tightly as `min`.
    fn expr(&mut self, min: u8) -> Result<Expr> {
        self.nested += 1;
        if self.nested > MAX_DEPTH {
            return Err(self.too_deep(self.span()));
        }
        let mut left = self.prefix(min)?;
        let mut last = 0;
        while let Some((own, op)) = self.operator(min) {
            // Only behind a range or a set can an operator stand that binds as tightly or more.
            if last == power::COMPARE && own >= last {
                let help = "put the test with `in` into parentheses";
                return self.unexpected("`and`, `or` or the end of a condition", help);
            }
            left = self.infix(left, op)?;
            last = own;
        }
        self.nested -= 1;
        Ok(left)
    }

    fn prefix(&mut self, min: u8) -> Result<Expr> {
        let start = self.span();
        for (word, op) in [("-", UnaryOp::Neg), ("not", UnaryOp::Not)] {
            if !self.is(word) {
                continue;
            }
            let own = power::unary(op);
            if op == UnaryOp::Not && min > own {
                return self.unexpected("a value", "write `(not ..)` with parentheses here");
            }
            self.at += 1;
            let operand = self.expr(own)?;
            let span = start.to(operand.span);
            return self.make(ExprKind::Unary(op, Box::new(operand)), span);
        }
        let mut value = self.atom()?;
        loop {
            let from = value.span;
            if self.take(".") {
                let field = self.name("the name of a field")?;
                if let ExprKind::Name(name) = &value.kind
                    && self.is("(")
                {
                    self.at += 1;
                    // `table.variation(..)`: a name with a point is called.
                    let name = format!("{name}.{}", field.name);
                    let span = from.to(field.span);
                    let (args, end) = self.list(")")?;
                    let call = ExprKind::Call(Ident { name, span }, args);
                    value = self.make(call, from.to(end))?;
                    continue;
                }
                let span = from.to(field.span);
                value = self.make(ExprKind::Field(Box::new(value), field), span)?;
            } else if self.take("[") {
                let index = self.expr(1)?;
                let end = self.expect("]")?;
                let kind = ExprKind::Index(Box::new(value), Box::new(index));
                value = self.make(kind, from.to(end))?;
            } else {
                return Ok(value);
            }
        }
    }

    fn atom(&mut self) -> Result<Expr> {
        let span = self.span();
        match self.peek().clone() {
            Token::Number(value, integer) => {
                self.at += 1;
                self.number(value, integer, span)
            }
            Token::Name(name) => {
                self.at += 1;
                if !self.take("(") {
                    return self.make(ExprKind::Name(name), span);
                }
                let (args, end) = self.list(")")?;
                self.make(ExprKind::Call(Ident { name, span }, args), span.to(end))
            }
            Token::Word(word @ ("true" | "false")) => {
                self.at += 1;
                self.make(ExprKind::Bool(word == "true"), span)
            }
            Token::Word("(") => {
                self.at += 1;
                let mut inner = self.expr(1)?;
                let end = self.expect(")")?;
                inner.span = span.to(end);
                Ok(inner)
            }
            Token::End if self.at == 0 => self.unexpected("an expression", "it is empty"),
            _ => self.unexpected("a value", ""),
        }
    }

    /// Expressions up to a closing bracket; a comma may stand behind the last one.
    fn list(&mut self, close: &'static str) -> Result<(Vec<Expr>, Span)> {
        let mut items = Vec::new();
        while !self.is(close) {
            items.push(self.expr(1)?);
            if !self.take(",") {
                break;
            }
        }
        Ok((items, self.expect(close)?))
    }

    fn number(&mut self, value: f64, integer: bool, mut span: Span) -> Result<Expr> {
        let mut unit = None;
        if let Token::Name(name) = self.peek() {
            let at = self.span();
            let Some(found) = Unit::find(name) else {
                return Err(Error::Unknown {
                    place: self.source.at(at),
                    what: "unit".into(),
                    name: name.clone(),
                    nearest: nearest(name, Unit::all().map(Unit::name)),
                    help: format!("to multiply, write `{value} * {name}`"),
                });
            };
            self.at += 1;
            span = span.to(at);
            unit = Some((found, self.unit_power(&mut span)?));
        }
        let literal = Literal {
            value,
            integer,
            unit,
        };
        self.make(ExprKind::Number(literal), span)
    }

    /// `**2` behind a unit.
    fn unit_power(&mut self, span: &mut Span) -> Result<i8> {
        if !self.take("**") {
            return Ok(1);
        }
        let sign = if self.take("-") { -1 } else { 1 };
        *span = span.to(self.span());
        match self.peek() {
            Token::Number(n, true) if *n >= 1.0 && *n <= 9.0 => {
                let n = *n as i8;
                self.at += 1;
                if self.is("**") {
                    return self.unexpected("another operator", POWER_OF_A_UNIT);
                }
                Ok(sign * n)
            }
            _ => self.unexpected("a whole power of the unit, 1 to 9", POWER_OF_A_UNIT),
        }
    }

    /// The operator that follows and how tightly it binds, if that is at least as tightly as `min`.
    fn operator(&self, min: u8) -> Option<(u8, Infix)> {
        let Token::Word(word) = *self.peek() else {
            return None;
        };
        let binary = BinaryOp::ALL.into_iter().find(|op| op.symbol() == word);
        let (own, op) = match word {
            "where" => (power::WHERE, Infix::Where),
            "if" => (power::IF, Infix::If),
            "in" => (power::COMPARE, Infix::In),
            "not" if *self.ahead(1) == Token::Word("in") => (power::COMPARE, Infix::NotIn),
            _ if comparison(word).is_some() => (power::COMPARE, Infix::Compare),
            _ => binary.map(|op| (power::binary(op), Infix::Binary(op)))?,
        };
        (own >= min).then_some((own, op))
    }

    /// `left` with the operator that follows.
    fn infix(&mut self, left: Expr, op: Infix) -> Result<Expr> {
        // A chain of comparisons reads its operators itself.
        self.at += match op {
            Infix::Compare => 0,
            Infix::NotIn => 2,
            _ => 1,
        };
        match op {
            Infix::Binary(op) => {
                let right = self.expr(power::right(op))?;
                let span = left.span.to(right.span);
                self.make(ExprKind::Binary(op, Box::new(left), Box::new(right)), span)
            }
            Infix::Where => {
                let condition = self.expr(power::WHERE + 1)?;
                let span = left.span.to(condition.span);
                self.make(ExprKind::Where(Box::new(left), Box::new(condition)), span)
            }
            Infix::If => {
                let condition = self.expr(power::IF + 1)?;
                self.expect("else")?;
                let other = self.expr(power::IF)?;
                let span = left.span.to(other.span);
                let (then, condition) = (Box::new(left), Box::new(condition));
                self.make(ExprKind::If(then, condition, Box::new(other)), span)
            }
            Infix::In | Infix::NotIn => self.membership(left, op == Infix::NotIn),
            Infix::Compare => self.compare(left),
        }
    }

    fn compare(&mut self, left: Expr) -> Result<Expr> {
        let mut rest = Vec::new();
        let mut span = left.span;
        while let Token::Word(word) = *self.peek() {
            let Some(op) = comparison(word) else {
                break;
            };
            self.at += 1;
            let right = self.expr(power::COMPARE + 1)?;
            span = span.to(right.span);
            rest.push((op, right));
        }
        self.make(ExprKind::Compare(Box::new(left), rest), span)
    }

    /// What follows `in`.
    fn membership(&mut self, value: Expr, negated: bool) -> Result<Expr> {
        let value = Box::new(value);
        if self.take("{") {
            let (elements, end) = self.list("}")?;
            if elements.is_empty() {
                return self.unexpected("an element", "a set has at least one: `id in {11, 13}`");
            }
            let span = value.span.to(end);
            let kind = ExprKind::Set {
                value,
                negated,
                elements,
            };
            return self.make(kind, span);
        }
        let low_end = match self.peek() {
            Token::Word("[") => End::Closed,
            Token::Word("(") => End::Open,
            _ => {
                return self.unexpected(
                    "a range or a set",
                    "a range is written `x in [60, 120]`, or `(60, 120)` without its ends; a set is written `id in {11, 13}`",
                );
            }
        };
        self.at += 1;
        let low = Box::new(self.expr(1)?);
        self.expect(",")?;
        let high = Box::new(self.expr(1)?);
        let end = self.span();
        let high_end = if self.take("]") {
            End::Closed
        } else if self.take(")") {
            End::Open
        } else {
            return self.unexpected("`]` or `)`", "a range has two ends: `[60, 120]`");
        };
        let span = value.span.to(end);
        let kind = ExprKind::Range {
            value,
            negated,
            low,
            low_end,
            high,
            high_end,
        };
        self.make(kind, span)
    }
}

//! The tree of an expression.

use crate::place::Span;
use crate::units::Unit;

/// An expression with the place where it was written.
///
/// Two are equal if they mean the same: spans are not compared.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
    depth: u16,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// A name and where it was written. Two are equal if they are the same word.
#[derive(Debug, Clone)]
pub struct Ident {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for Ident {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// A number as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Literal {
    /// The number in its unit.
    pub value: f64,
    /// Written without point and exponent.
    pub integer: bool,
    /// Its unit and the power of it.
    pub unit: Option<(Unit, i8)>,
}

/// An operator with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-x`
    Neg,
    /// `not x`
    Not,
}

/// An operator with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `a or b`
    Or,
    /// `a and b`
    And,
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// `a % b`, with the sign of `b` as in Python
    Rem,
    /// `a ** b`
    Pow,
}

impl BinaryOp {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Or,
        Self::And,
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Rem,
        Self::Pow,
    ];

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
            Self::Pow => "**",
        }
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `!=`
    Ne,
}

impl CompareOp {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Lt, Self::Le, Self::Gt, Self::Ge, Self::Eq, Self::Ne];

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Eq => "==",
            Self::Ne => "!=",
        }
    }
}

/// Whether an end belongs to a range: `[` and `]`, or `(` and `)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It does.
    Closed,
    /// It does not.
    Open,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `91.2 GeV`
    Number(Literal),
    /// `true`, `false`
    Bool(bool),
    /// `mu`
    Name(String),
    /// `mu.pt`
    Field(Box<Expr>, Ident),
    /// `mu[0]`
    Index(Box<Expr>, Box<Expr>),
    /// `sum(jets.pt)`
    Call(Ident, Vec<Expr>),
    /// `-x`, `not x`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `60 < m < 120`: each neighbouring pair is compared.
    Compare(Box<Expr>, Vec<(CompareOp, Expr)>),
    /// `m in [60, 120)`
    Range {
        /// What is tested.
        value: Box<Expr>,
        /// `not in`.
        negated: bool,
        /// The lower end.
        low: Box<Expr>,
        /// Whether it belongs to the range.
        low_end: End,
        /// The upper end.
        high: Box<Expr>,
        /// Whether it belongs to the range.
        high_end: End,
    },
    /// `id in {11, 13}`
    Set {
        /// What is tested.
        value: Box<Expr>,
        /// `not in`.
        negated: bool,
        /// The elements, at least one.
        elements: Vec<Expr>,
    },
    /// `a if c else b`: then, condition, else.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `jets where pt > 30`
    Where(Box<Expr>, Box<Expr>),
}

impl ExprKind {
    /// The expressions directly below.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Self::Number(_) | Self::Bool(_) | Self::Name(_) => vec![],
            Self::Field(x, ..) | Self::Unary(_, x) => vec![x],
            Self::Index(a, b) | Self::Binary(_, a, b) | Self::Where(a, b) => vec![a, b],
            Self::Call(_, args) => args.iter().collect(),
            Self::Compare(first, rest) => std::iter::once(&**first)
                .chain(rest.iter().map(|(_, e)| e))
                .collect(),
            Self::Range {
                value, low, high, ..
            } => vec![value, low, high],
            Self::Set {
                value, elements, ..
            } => std::iter::once(&**value).chain(elements).collect(),
            Self::If(a, c, b) => vec![a, c, b],
        }
    }
}

impl Expr {
    /// An expression of that kind.
    pub fn new(kind: ExprKind, span: Span) -> Self {
        let below = kind.children().into_iter().map(|e| e.depth).max();
        let depth = below.map_or(1, |d| d.saturating_add(1));
        Self { kind, span, depth }
    }

    /// Length of the longest path down the tree.
    pub fn depth(&self) -> usize {
        usize::from(self.depth)
    }
}

/// `mu as a`: a part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The expression.
    pub expr: Expr,
    /// The name after `as`.
    pub alias: Option<Ident>,
}

//! From text to a tree and back.

mod ast;
mod lex;
mod parse;
mod print;

pub use ast::{BinaryOp, CompareOp, End, Expr, ExprKind, Ident, Literal, Member, UnaryOp};
pub use parse::{MAX_DEPTH, MAX_LENGTH, parse, parse_list};

pub(crate) use lex::KEYWORDS;

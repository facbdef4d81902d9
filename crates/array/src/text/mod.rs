//! The text form of programs: printed for people, parsed back to the same program, bit for bit.
//!
//! The grammar stands in [`Program`](crate::Program)'s module. [`print()`] and [`parse()`] are inverse to each other: values keep their numbers, doubles
//! are printed with the fewest digits that give them back (NaN with its payload, if it is not the usual one), data and sub-programs are inline.

mod lex;
mod parse;
mod print;

pub use parse::parse;
pub use print::print;
pub(crate) use print::quoted;

//! Drawings as PDF: one page, no embedded files; letters are those of the standard fonts.

mod content;
mod document;
mod text;
mod widths;

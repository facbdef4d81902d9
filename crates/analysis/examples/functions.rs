//! Writes the page of the functions of the language.

fn main() {
    print!("{}", pullback_analysis::functions::documentation());
}

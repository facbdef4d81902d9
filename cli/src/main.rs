//! The `pullback` command: fits of HistFactory workspaces with exact derivatives.

mod app;
mod args;
mod complaint;
mod failure;
mod interrupt;
mod json;
mod output;
mod progress;
mod report;
mod source;
mod text;
mod verbs;

fn main() -> std::process::ExitCode {
    app::run()
}

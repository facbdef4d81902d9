//! `pullback ws inspect`.

use pullback_stats::spec::summarise;

use crate::app::Outcome;
use crate::args::InspectArgs;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{complaint, json, output, source, text};

/// Shows what is in a workspace, and what in it has no effect.
pub fn inspect(args: &InspectArgs) -> Result<Outcome, Failure> {
    output::check_folder(args.output.output.as_deref())?;
    let progress = Progress::start("reading");
    let loaded = source::load(&args.model)?;
    let summary = summarise(&loaded.spec);
    drop(progress);
    if args.output.json || args.output.output.is_some() {
        let digest = loaded.digest().wait();
        let text = json::inspect(&loaded.spec, &summary, digest.as_deref(), &loaded.warnings);
        match &args.output.output {
            Some(path) => output::write_file(path, &text)?,
            None => output::print(&text)?,
        }
    }
    if !args.output.json {
        complaint::print_warnings(&loaded.warnings);
        let width = text::terminal_width();
        output::print(&text::inspect(
            &loaded.spec,
            &summary,
            &loaded.path,
            args.output.all,
            width,
        ))?;
    }
    Ok(Outcome::Good)
}

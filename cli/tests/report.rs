//! The pages that fits write.

mod common;

use common::{Folder, check_page, folder_with_workspace, stable};

#[test]
fn a_fit_with_derivatives() {
    let folder = Folder::new();
    folder.write("search.json", include_str!("data/search.json"));
    let args = [
        "fit",
        "search.json",
        "--derivatives",
        "--report",
        "fit.html",
    ];
    let run = folder.run_wide(&args, "", 100);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(stable(&run.stdout));
    let page = folder.read("fit.html");
    check_page(&page);
    for id in [
        "yields",
        "pulls",
        "correlations",
        "derivatives",
        "parameters",
    ] {
        assert!(
            page.contains(&format!("<section id=\"{id}\">"))
                && page.contains(&format!("href=\"#{id}\"")),
            "{id}"
        );
    }
}

#[test]
fn names_cannot_break_the_page() {
    let folder = Folder::new();
    let text = common::TWO_CHANNELS
        .replace("CR_top", "<script>alert(1)</script>&\\\"'")
        .replace("\"jes\"", "\"<b>{{ jes }}</b>\"");
    folder.write("ws.json", text);
    let run = folder.run(&["fit", "ws.json", "--report", "fit.html"], "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let page = folder.read("fit.html");
    assert!(!page.contains("<script>") && !page.contains("<b>{{"));
    check_page(&page.replace("{{ jes }}", ""));
}

/// Without covariance, without a parameter of interest, with everything fixed: less to show, but a page.
#[test]
fn pages_of_poor_fits() {
    let folder = folder_with_workspace();
    for extra in [
        &["--max-iterations", "1"][..],
        &["--exclude", "SR"],
        &[
            "--fix",
            "mu",
            "--fix",
            "norm_top",
            "--fix",
            "jes",
            "--fix",
            "b_tagging",
            "--fix",
            "theory",
            "--fix",
            "lumi",
            "--fix",
            "mc_stat_SR",
            "--fix",
            "fakes_SR",
        ],
    ] {
        let mut args = vec!["fit", "ws.json", "--report", "fit.html"];
        args.extend(extra);
        let run = folder.run(&args, "");
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        check_page(&folder.read("fit.html"));
    }
}

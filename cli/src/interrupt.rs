//! Ctrl-C: at once while nobody looks, else when the work next asks.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Takes over Ctrl-C. Outside [`watched`] (reading a pipe, say) and at the second press the process ends with exit code 130.
pub fn install() {
    // Without a handler the signal ends the process, which is as good.
    let _ = ctrlc::set_handler(|| {
        let again = REQUESTED.swap(true, Ordering::SeqCst);
        if again || !WATCHED.load(Ordering::SeqCst) {
            crate::output::discard_unfinished();
            std::process::exit(130);
        }
    });
}

/// Runs work that looks at [`requested`] itself.
pub fn watched<T>(work: impl FnOnce() -> T) -> T {
    WATCHED.store(true, Ordering::SeqCst);
    let result = work();
    WATCHED.store(false, Ordering::SeqCst);
    result
}

/// Whether Ctrl-C was pressed.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

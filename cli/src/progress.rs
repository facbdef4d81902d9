//! A spinner on stderr for what takes more than a second, on a terminal only.

use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::ProgressBar;

/// Shows what is going on until it is dropped.
#[derive(Debug)]
pub struct Progress {
    running: Option<(Sender<&'static str>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts with a first message. Nothing is shown in the first second.
    pub fn start(message: &'static str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { running: None };
        }
        let (sender, receiver) = mpsc::channel::<&'static str>();
        let thread = std::thread::spawn(move || {
            let patience = std::time::Instant::now() + Duration::from_secs(1);
            let mut message = message;
            loop {
                let left = patience.saturating_duration_since(std::time::Instant::now());
                match receiver.recv_timeout(left) {
                    Ok(next) => message = next,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => break,
                }
            }
            let spinner = ProgressBar::new_spinner().with_message(message);
            spinner.enable_steady_tick(Duration::from_millis(100));
            while let Ok(next) = receiver.recv() {
                spinner.set_message(next);
            }
            spinner.finish_and_clear();
        });
        Self {
            running: Some((sender, thread)),
        }
    }

    /// Changes the message.
    pub fn say(&self, message: &'static str) {
        if let Some((sender, _)) = &self.running {
            // The thread may have ended; there is nobody to tell then.
            let _ = sender.send(message);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.running.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

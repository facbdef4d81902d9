//! Spinners and bars on stderr for what takes more than a second, on a terminal only.

use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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

/// A bar with the time that is left.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    started: Instant,
}

impl Bar {
    /// Starts; `what` is counted. Nothing is shown in the first second.
    pub fn start(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let template = format!(
            "{{msg}} {{wide_bar}} {{human_pos}} of {{human_len}} {what}, {{per_sec}}, {{eta}} left"
        );
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self {
            bar,
            started: Instant::now(),
        }
    }

    /// So many are done.
    pub fn at(&mut self, done: u64, of: u64, message: &str) {
        if self.bar.is_hidden() && self.started.elapsed() > Duration::from_secs(1) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_length(of);
        self.bar.set_message(message.to_owned());
        self.bar.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

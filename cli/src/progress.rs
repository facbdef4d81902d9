//! A spinner or a bar on stderr for what takes more than a second, on a terminal only.

use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

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
            let patience = Instant::now() + Duration::from_secs(1);
            let mut message = message;
            loop {
                let left = patience.saturating_duration_since(Instant::now());
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

/// How much of a known amount is done, with the time that is left.
#[derive(Debug)]
pub struct Bar {
    total: u64,
    start: Instant,
    shown: Option<ProgressBar>,
    terminal: bool,
}

impl Bar {
    /// Starts at 0. Nothing is shown in the first second.
    pub fn start(total: u64) -> Self {
        Self {
            total,
            start: Instant::now(),
            shown: None,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Shows that so much is done.
    pub fn set(&mut self, done: u64) {
        if !self.terminal || self.start.elapsed() < Duration::from_secs(1) {
            return;
        }
        let bar = self.shown.get_or_insert_with(|| {
            let bar = ProgressBar::new(self.total).with_elapsed(self.start.elapsed());
            let style = "{bar:40} {human_pos} of {human_len} events, {eta} left";
            match ProgressStyle::with_template(style) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        bar.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

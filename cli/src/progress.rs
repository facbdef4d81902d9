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

/// Shown after the first second, on a terminal only.
#[derive(Debug)]
struct Late {
    start: Instant,
    shown: Option<ProgressBar>,
    terminal: bool,
}

impl Late {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            shown: None,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// What is shown, once it is time.
    fn get(&mut self, total: Option<u64>, style: &str) -> Option<&ProgressBar> {
        if !self.terminal || self.start.elapsed() < Duration::from_secs(1) {
            return None;
        }
        let elapsed = self.start.elapsed();
        Some(self.shown.get_or_insert_with(|| {
            let bar = match total {
                Some(total) => ProgressBar::new(total),
                None => ProgressBar::new_spinner(),
            };
            let bar = bar.with_elapsed(elapsed);
            match ProgressStyle::with_template(style) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        }))
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        if let Some(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// How many events are done, of how many if that is known, with the time that is left.
#[derive(Debug)]
pub struct Bar {
    total: Option<u64>,
    style: String,
    late: Late,
}

impl Bar {
    /// Starts at 0.
    pub fn start(total: u64) -> Self {
        Self {
            total: Some(total),
            style: "{bar:40} {human_pos} of {human_len} events, {eta} left".into(),
            late: Late::new(),
        }
    }

    /// Starts at 0, without an end in sight.
    pub fn unknown(what: &str) -> Self {
        Self {
            total: None,
            style: format!("{{spinner}} {what}: {{human_pos}}"),
            late: Late::new(),
        }
    }

    /// Shows that so much is done.
    pub fn set(&mut self, done: u64) {
        if let Some(bar) = self.late.get(self.total, &self.style) {
            bar.set_position(done);
        }
    }
}

/// Steps of an optimisation, with the objective and the time that is left.
#[derive(Debug)]
pub struct Steps {
    total: u64,
    late: Late,
}

impl Steps {
    /// Starts at 0.
    pub fn start(total: u64) -> Self {
        Self {
            total,
            late: Late::new(),
        }
    }

    /// Shows that so much is done: the objective now, and the best one on events that were not optimised on.
    pub fn set(&mut self, done: u64, soft: f64, best: Option<f64>) {
        let style = "{bar:30} step {pos} of {len}, {msg}, {eta} left";
        if let Some(bar) = self.late.get(Some(self.total), style) {
            let best = best.map_or(String::new(), |b| format!(", best on validation {b:.4}"));
            bar.set_message(format!("objective {soft:.4}{best}"));
            bar.set_position(done);
        }
    }
}

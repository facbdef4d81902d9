//! Work on several threads, without an influence on results: tasks own what they write, and nobody asks which thread ran them.

use std::sync::Mutex;

/// Runs `body` on every task, with scratch of its own on each thread. One thread or one task: in place, in order.
pub(crate) fn for_each<T: Send, S: Default + Send>(
    threads: usize,
    tasks: impl IntoIterator<Item = T, IntoIter: Send>,
    body: impl Fn(&mut S, T) + Sync,
) {
    if threads <= 1 {
        let mut scratch = S::default();
        tasks.into_iter().for_each(|task| body(&mut scratch, task));
        return;
    }
    let queue = Mutex::new(tasks.into_iter());
    let next = || queue.lock().ok().and_then(|mut q| q.next());
    rayon::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|_| {
                let mut scratch = S::default();
                while let Some(task) = next() {
                    body(&mut scratch, task);
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::for_each;

    #[test]
    fn every_task_runs_once_on_any_number_of_threads() {
        for threads in [1, 2, 5] {
            let mut out = vec![0; 1000];
            for_each(
                threads,
                out.chunks_mut(7).enumerate(),
                |seen: &mut usize, (k, chunk)| {
                    *seen += 1;
                    for x in chunk {
                        *x += k;
                    }
                },
            );
            assert!(out.iter().enumerate().all(|(i, x)| *x == i / 7));
        }
    }
}

//! The Z' study: `cargo xtask study zprime [SEEDS [SIZE]]`.

use pullback_studies::zprime::{Samples, analysis, compare, gradients};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |k: usize, default: f64| args.get(k).map_or(Ok(default), |a| a.parse::<f64>());
    let (seeds, size) = (number(0, 5.0)? as u64, number(1, 1.0)?);
    let events = [100e3, 600e3, 400e3, 200e3].map(|n| (n * size) as usize);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let folder = std::env::temp_dir().join(format!("pullback-zprime-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    println!("generated events of signal, tt, W and Z with jets: {events:?}; {threads} threads\n");
    let mut rows = Vec::new();
    for seed in 1..=seeds {
        Samples(events).generate(&folder, seed)?;
        let file = analysis(
            &folder,
            &format!("steps = 300\npretrain = 300\nseed = {seed}"),
        )?;
        if seed == 1 {
            let one = gradients(&file, 1)?;
            println!(
                "gradient of {} training events beside differences of order four:",
                one.events
            );
            for (name, g, d) in &one.rows {
                println!(
                    "  {name:22} {g:+.9e}  {d:+.9e}  {:.1e}",
                    (g - d).abs() / d.abs()
                );
            }
            let two = gradients(&file, threads)?;
            let per = |s: f64, events: usize| 1e6 * s / events as f64;
            println!(
                "value {:.2} µs, value and gradient {:.2} µs of processor time per event (ratio {:.2}); on {threads} threads {:.2} and {:.2}\n",
                per(one.seconds[0], one.events),
                per(one.seconds[1], one.events),
                one.seconds[1] / one.seconds[0],
                per(two.seconds[0], two.events),
                per(two.seconds[1], two.events)
            );
            println!(
                "| seed | training events | start | CMA-ES on cuts and bins | gradient on cuts and bins | gradient on everything | seconds | steps, evaluations |"
            );
            println!("|---|---|---|---|---|---|---|---|");
        }
        let c = compare(&file, seed, threads)?;
        let quote = |q: &pullback_analysis::optimize::Quote| {
            let few = if q.violated.is_empty() { "" } else { " (!)" };
            format!("{:.3} ± {:.3}{few}", q.value, q.uncertainty)
        };
        println!(
            "| {seed} | {} | {} | {} | {} | {} | {:.0}, {:.0} | {}, {} |",
            c.events,
            quote(&c.start),
            quote(&c.evolved),
            quote(&c.cuts_alone),
            quote(&c.gradient),
            c.seconds[0],
            c.seconds[1],
            c.steps[0],
            c.steps[1],
        );
        rows.push([
            c.start.value,
            c.evolved.value,
            c.cuts_alone.value,
            c.gradient.value,
        ]);
    }
    std::fs::remove_dir_all(&folder)?;
    let n = rows.len() as f64;
    let mean = |f: &dyn Fn(&[f64; 4]) -> f64| {
        let m = rows.iter().map(f).sum::<f64>() / n;
        let v = rows.iter().map(|r| (f(r) - m).powi(2)).sum::<f64>() / (n - 1.0) / n;
        format!("{m:.3} ± {:.3}", v.sqrt())
    };
    println!(
        "| mean |  | {} | {} | {} | {} |  |  |",
        mean(&|r| r[0]),
        mean(&|r| r[1]),
        mean(&|r| r[2]),
        mean(&|r| r[3])
    );
    println!(
        "\ngradient on everything over CMA-ES, seed by seed: {}",
        mean(&|r| r[3] / r[1])
    );
    println!(
        "gradient on cuts and bins over CMA-ES: {}",
        mean(&|r| r[2] / r[1])
    );
    println!("(!): on test events a bin has fewer simulated events than asked for.");
    Ok(())
}

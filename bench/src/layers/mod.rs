//! What a layer adds to each request of a bare router: ours beside the two that people use.
//!
//! Time is processor time of the whole process, so that a thread which exports is paid for too,
//! and each repetition is a process of its own.
//! Instructions and allocations are counted by valgrind as the difference of a long and a short
//! run, which leaves out the start; without valgrind they are said to be unmeasured.

pub(crate) mod stack;

use std::time::Duration;

use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::stack::{Stack, Variant};
use crate::Size;
use crate::child::{Peer, Role, answer, request, setup};
use crate::count::{self, Counted};
use crate::failure::Result;
use crate::proc;
use crate::report::{Report, Spread, Target};

/// Time one repetition may take.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy)]
struct Effort {
    repetitions: usize,
    requests: u64,
}

impl From<Size> for Effort {
    fn from(size: Size) -> Self {
        let (repetitions, requests) = match size {
            Size::Quick => (3, 20_000),
            Size::Normal => (9, 100_000),
            Size::Full => (21, 200_000),
        };
        Self {
            repetitions,
            requests,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Work {
    requests: u64,
}

/// What one variant cost, per request.
struct Cost {
    variant: Variant,
    nanos: Vec<f64>,
    counted: Option<Counted>,
}

impl Cost {
    fn nanos(&self) -> f64 {
        Spread::of(self.nanos.iter().copied()).median
    }
}

pub(crate) fn measure(size: Size) -> Result<Report> {
    let effort = Effort::from(size);
    let mut all: Vec<_> = Variant::ALL.iter().map(|it| (*it, Vec::new())).collect();
    let work = |requests| Work { requests };
    for _ in 0..effort.repetitions {
        for (variant, nanos) in &mut all {
            // A process each time: where its stack and its heap happen to lie is worth some tens of
            // nanoseconds for as long as it lives.
            let mut peer = Peer::start(Role::Layers, &*variant)?;
            peer.ask::<f64>(&work(effort.requests / 10), PATIENCE)?;
            nanos.push(peer.ask::<f64>(&work(effort.requests), PATIENCE)?);
        }
    }
    let costs = all.into_iter().map(|(variant, nanos)| Cost {
        variant,
        nanos,
        counted: counted(variant),
    });
    Ok(report(&costs.collect::<Vec<_>>()))
}

fn counted(variant: Variant) -> Option<Counted> {
    let variant = variant.to_possible_value()?;
    count::of(&["layers-once", variant.get_name()])
}

/// One variant's process: runs requests when asked and says what one cost.
pub(crate) fn serve() -> Result<()> {
    let variant: Variant = setup()?;
    let mut stack = Stack::new(variant)?;
    while let Some(work) = request::<Work>()? {
        answer(Ok(cost(&mut stack, work.requests)))?;
    }
    Ok(())
}

/// Processor time of one request, in nanoseconds.
#[allow(clippy::cast_precision_loss)] // nanoseconds of seconds fit
fn cost(stack: &mut Stack, requests: u64) -> f64 {
    let before = proc::own_cpu();
    stack.run(requests);
    let spent = proc::own_cpu().saturating_sub(before);
    spent.as_nanos() as f64 / requests as f64
}

/// Runs `requests` requests and nothing else, for valgrind to watch.
pub(crate) fn run_once(variant: Variant, requests: u64) -> Result<()> {
    Stack::new(variant)?.run(requests);
    // The exporting threads are in the middle of their pause; nobody needs their goodbye.
    std::process::exit(0)
}

fn report(costs: &[Cost]) -> Report {
    let mut report = Report {
        name: "layers: what one request costs beyond the bare router",
        headers: vec![
            "stack",
            "CPU ns (min–max)",
            "added ns",
            "added instructions",
            "added allocations",
        ],
        ..Report::default()
    };
    let Some(bare) = costs.iter().find(|it| it.variant == Variant::Bare) else {
        return report;
    };
    let added = |cost: &Cost| cost.nanos() - bare.nanos();
    let instructions = |cost: &Cost| {
        let (ours, base) = (cost.counted.as_ref()?, bare.counted.as_ref()?);
        Some(ours.instructions - base.instructions)
    };
    let allocations = |cost: &Cost| {
        let (ours, base) = (cost.counted.as_ref()?, bare.counted.as_ref()?);
        Some(ours.allocations - base.allocations)
    };
    let text = |number: Option<f64>, digits: usize| {
        number.map_or("not measured".to_owned(), |it| format!("{it:.digits$}"))
    };
    for cost in costs {
        report.rows.push(vec![
            cost.variant.name().to_owned(),
            Spread::of(cost.nanos.iter().copied()).to_string(),
            format!("{:.0}", added(cost)),
            text(instructions(cost), 0),
            text(allocations(cost), 1),
        ]);
    }
    let of = |variant| costs.iter().find(|it| it.variant == variant);
    for (us, peer, at_most) in [
        (Variant::BridgeRecorded, Variant::OtelRecorded, (0.25, 0.20)),
        (
            Variant::BridgeSampledOut,
            Variant::OtelSampledOut,
            (0.08, 0.08),
        ),
        (Variant::BridgeOff, Variant::OtelSampledOut, (0.08, 0.08)),
        (Variant::BridgeSampledOut, Variant::TraceLayer, (1.0, 1.0)),
        (Variant::BridgeOff, Variant::TraceLayer, (1.0, 1.0)),
    ] {
        let (Some(us), Some(peer)) = (of(us), of(peer)) else {
            continue;
        };
        let name = format!("{} / {}", us.variant.name(), peer.variant.name());
        report.targets.push(Target {
            name: format!("{name}, ns"),
            us: added(us),
            peer: added(peer),
            at_most: at_most.0,
        });
        report.targets.push(Target {
            name: format!("{name}, instructions"),
            us: instructions(us).unwrap_or(0.0),
            peer: instructions(peer).unwrap_or(0.0),
            at_most: at_most.1,
        });
    }
    if costs.iter().any(|it| it.counted.is_none()) {
        report.notes.push(
            "instructions and allocations: not measured, valgrind is not installed or failed"
                .to_owned(),
        );
    }
    report.samples = json!(
        costs
            .iter()
            .map(|it| json!({ "stack": it.variant.name(), "nanos": it.nanos }))
            .collect::<Vec<_>>()
    );
    report
}

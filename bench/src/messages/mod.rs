//! Generated messages beside prost's of the same contract: to bytes and back; and as ProtoJSON
//! beside plain structs of serde.
//!
//! One thread, processor time. Both sides have the same Rust types: maps are ordered and `bytes`
//! share the memory they were read from, on prost's side too. Instructions and allocations are
//! counted by valgrind; without it they are said to be unmeasured.

mod plain;
pub(crate) mod work;

use clap::ValueEnum;
use serde_json::json;

use self::work::{Name, Run, Sample, Side, Work};
use crate::Size;
use crate::count::{self, Counted};
use crate::failure::Result;
use crate::proc;
use crate::report::{Report, Spread, Target};

/// Time of ours over that of prost, for what goes over the wire.
const TIME_AT_MOST: f64 = 1.0;

#[derive(Clone, Copy)]
struct Effort {
    repetitions: usize,
    /// How much is encoded or decoded in one repetition of each.
    bytes: u64,
}

impl From<Size> for Effort {
    fn from(size: Size) -> Self {
        let (repetitions, mebibytes) = match size {
            Size::Quick => (3, 8),
            Size::Normal => (11, 32),
            Size::Full => (31, 64),
        };
        Self {
            repetitions,
            bytes: mebibytes << 20,
        }
    }
}

/// One side of one piece of work.
struct Entry {
    name: Name,
    work: Work,
    side: Side,
    times: u64,
    run: Run,
    nanos: Vec<f64>,
    counted: Option<Counted>,
}

impl Entry {
    fn nanos(&self) -> Spread {
        Spread::of(self.nanos.iter().copied())
    }

    /// Runs it, and says what one piece took in nanoseconds of processor time.
    #[allow(clippy::cast_precision_loss)] // nanoseconds of seconds fit
    fn measure(&self) -> f64 {
        let before = proc::own_cpu();
        (self.run)(self.times);
        let spent = proc::own_cpu().saturating_sub(before);
        spent.as_nanos() as f64 / self.times as f64
    }

    fn row(&self) -> Vec<String> {
        let text =
            |number: Option<f64>| number.map_or("not measured".into(), |it| format!("{it:.0}"));
        vec![
            title(self.name, self.work),
            peer_of(self.work, self.side).to_owned(),
            format!("{:.0}", self.nanos()),
            text(self.counted.map(|it| it.instructions)),
            text(self.counted.map(|it| it.allocations)),
        ]
    }
}

fn title(name: Name, work: Work) -> String {
    format!("{} {}", word(name), word(work))
}

/// What the command line calls it.
fn word(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |it| it.get_name().to_owned())
}

fn peer_of(work: Work, side: Side) -> &'static str {
    match (side, work) {
        (Side::Bridge, _) => "bridge",
        (Side::Peer, Work::Encode | Work::Decode) => "prost",
        (Side::Peer, Work::JsonOut | Work::JsonIn) => "plain structs",
    }
}

pub(crate) fn measure(size: Size) -> Result<Report> {
    let effort = Effort::from(size);
    let (mut entries, mut notes) = (Vec::new(), Vec::new());
    for name in Name::value_variants() {
        let sample = Sample::of(*name)?;
        let (bytes, json) = (sample.bytes.len(), sample.json.len());
        notes.push(format!("{}: {bytes} bytes, {json} as JSON", word(*name)));
        for work in Work::value_variants() {
            for side in Side::value_variants() {
                entries.push(Entry {
                    name: *name,
                    work: *work,
                    side: *side,
                    times: effort.bytes / bytes as u64,
                    run: sample.run(*work, *side)?,
                    nanos: Vec::new(),
                    counted: None,
                });
            }
        }
    }
    for entry in &entries {
        entry.measure();
    }
    for _ in 0..effort.repetitions {
        for entry in &mut entries {
            entry.nanos.push(entry.measure());
        }
    }
    for entry in &mut entries {
        let (message, work, side) = (word(entry.name), word(entry.work), word(entry.side));
        entry.counted = count::of(&["messages-once", &message, &work, &side]);
    }
    Ok(report(&entries, notes))
}

fn report(entries: &[Entry], mut notes: Vec<String>) -> Report {
    notes.push(
        "JSON has no target: plain structs refuse nothing and keep the timestamp as text"
            .to_owned(),
    );
    if entries.iter().any(|it| it.counted.is_none()) {
        notes.push(
            "instructions and allocations: not measured, valgrind is not installed or failed"
                .into(),
        );
    }
    Report {
        name: "messages: what it costs to write and to read one",
        headers: vec![
            "work",
            "by",
            "CPU ns (min–max)",
            "instructions",
            "allocations",
        ],
        rows: entries.iter().map(Entry::row).collect(),
        targets: entries.chunks(2).flat_map(targets).collect(),
        notes,
        samples: json!(
            entries
                .iter()
                .map(|it| json!({
                    "message": it.name, "work": it.work, "side": it.side, "nanos": it.nanos,
                }))
                .collect::<Vec<_>>()
        ),
        ..Report::default()
    }
}

/// Time and instructions of two sides of one piece of work, where there is a target.
fn targets(sides: &[Entry]) -> Vec<Target> {
    let [us, peer] = sides else { return Vec::new() };
    if !matches!(us.work, Work::Encode | Work::Decode) {
        return Vec::new();
    }
    let target = |unit, us, peer| Target {
        name: format!("{}, {unit}", title(sides[0].name, sides[0].work)),
        us,
        peer,
        at_most: TIME_AT_MOST,
    };
    let counted = |it: &Entry| it.counted.map_or(0.0, |it| it.instructions);
    vec![
        target("ns", us.nanos().median, peer.nanos().median),
        target("instructions", counted(us), counted(peer)),
    ]
}

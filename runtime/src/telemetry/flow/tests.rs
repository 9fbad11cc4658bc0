//! The present, with a clock that a test moves.

use std::time::Duration;

use contract::clock::{Clock, ManualClock, Timestamp};
use contract::ids::{IdMint, InstanceId, OpId, ServiceId, TraceId};
use tokio::sync::broadcast::error::TryRecvError;

use super::{FEED_MAX, Flow, KEYS_MAX, PENDING_MAX, SUBJECT_BYTES_MAX, Words};
use crate::telemetry::{Actor, Channel, Frame, Status};

const MINUTE: Duration = Duration::from_secs(60);

struct World {
    flow: Flow,
    time: ManualClock,
    mint: IdMint,
    actor: Actor,
}

impl World {
    fn new() -> Self {
        let (clock, time) = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
        let mint = IdMint::seeded(7, &clock);
        let actor = Actor {
            service: ServiceId::mint(&mint),
            instance: InstanceId::mint(&mint),
        };
        Self {
            flow: Flow::new(&clock),
            time,
            mint,
            actor,
        }
    }

    fn start(&self, subject: &str) -> Frame {
        Frame {
            trace: TraceId::mint(&self.mint),
            op: OpId::mint(&self.mint),
            parent: None,
            channel: Some(Channel::Rpc),
            kind: 1,
            subject: subject.to_owned(),
            peer_service: String::new(),
            peer_instance: String::new(),
            business_key: String::new(),
            attempt: 1,
            started_at_ms: 1_000,
            finished_at_ms: None,
            status: Some(Status::Pending),
            status_message: String::new(),
            meta_json: Vec::new(),
            attrs_json: Vec::new(),
        }
    }

    fn note(&self, frames: &[Frame]) {
        self.flow.note(self.actor, frames);
    }

    /// One operation from START to END.
    fn run(&self, subject: &str, duration_ms: i64, status: Status) {
        let start = self.start(subject);
        let end = ended(&start, duration_ms, status);
        self.note(&[start, end]);
    }
}

/// The END of an operation as the contract has it: everything else is blank.
fn ended(start: &Frame, duration_ms: i64, status: Status) -> Frame {
    Frame {
        subject: String::new(),
        channel: None,
        started_at_ms: 0,
        finished_at_ms: Some(start.started_at_ms + duration_ms),
        status: Some(status),
        ..start.clone()
    }
}

#[test]
fn an_operation_is_counted_when_it_ends_under_what_its_start_said() {
    let world = World::new();
    let start = world.start("rpc.call:desk/Echo");
    world.note(std::slice::from_ref(&start));
    assert!(world.flow.edges(MINUTE).edges.is_empty());
    assert_eq!(world.flow.counters().pending, 1);
    world.time.advance(Duration::from_secs(10));
    world.note(&[ended(&start, 40, Status::Timeout)]);
    let flows = world.flow.edges(MINUTE);
    let [edge] = &flows.edges[..] else {
        panic!("one edge: {flows:?}");
    };
    assert_eq!(&*edge.subject, "rpc.call:desk/Echo");
    assert_eq!(
        (edge.actor, edge.channel),
        (world.actor.service, Some(Channel::Rpc))
    );
    assert_eq!((edge.tally.count(), edge.tally.errors()), (1, 1));
    assert_eq!(edge.tally.percentile_ms(0.95), 40.0);
    assert_eq!(flows.covered, Duration::from_secs(10));
    assert_eq!(world.flow.counters().pending, 0);
}

#[test]
fn frames_that_come_twice_count_once() {
    let world = World::new();
    let start = world.start("a");
    let end = ended(&start, 1, Status::Success);
    world.note(&[start.clone(), start, end.clone(), end]);
    assert_eq!(world.flow.edges(MINUTE).edges[0].tally.count(), 1);
    assert_eq!(world.flow.counters().unjoined, 1);
}

#[test]
fn an_end_that_says_everything_needs_no_start() {
    let world = World::new();
    let mut whole = world.start("user work");
    whole.finished_at_ms = Some(1_250);
    whole.status = Some(Status::Success);
    world.note(&[whole]);
    let flows = world.flow.edges(MINUTE);
    assert_eq!(flows.edges[0].tally.percentile_ms(1.0), 250.0);
}

#[test]
fn callers_of_one_route_are_told_apart() {
    let world = World::new();
    for peer in [ServiceId::mint(&world.mint), ServiceId::mint(&world.mint)] {
        let mut start = world.start("http.handle:GET//users/{id}");
        start.peer_service = peer.to_string();
        let end = ended(&start, 1, Status::Success);
        world.note(&[start, end]);
    }
    let edges = world.flow.edges(MINUTE).edges;
    assert_eq!(edges.len(), 2);
    assert!(edges[0].peer < edges[1].peer);
}

#[test]
fn what_is_over_is_forgotten() {
    let world = World::new();
    world.run("a", 1, Status::Success);
    world.time.advance(MINUTE * 2);
    assert!(world.flow.edges(MINUTE).edges.is_empty());
    assert_eq!(world.flow.edges(MINUTE * 5).edges.len(), 1);
    world.time.advance(MINUTE * 70);
    assert!(world.flow.edges(MINUTE * 600).edges.is_empty());
}

#[test]
fn one_subject_more_than_fits_is_counted_as_other_until_some_go_idle() {
    let world = World::new();
    for at in 0..KEYS_MAX {
        world.run(&format!("subject {at}"), 1, Status::Success);
    }
    world.run("one more", 1, Status::Success);
    let flows = world.flow.edges(MINUTE);
    assert_eq!((flows.edges.len(), flows.other.count()), (KEYS_MAX, 1));
    world.time.advance(MINUTE * 70);
    world.run("one more", 1, Status::Success);
    let flows = world.flow.edges(MINUTE);
    assert_eq!((flows.edges.len(), flows.other.count()), (1, 0));
    assert_eq!(world.flow.counters().keys, 1);
}

#[test]
fn an_operation_whose_series_went_idle_meanwhile_counts_as_other() {
    let world = World::new();
    let long = world.start("long");
    world.note(std::slice::from_ref(&long));
    for at in 1..KEYS_MAX {
        world.run(&format!("subject {at}"), 1, Status::Success);
    }
    world.time.advance(MINUTE * 70);
    world.run("one more", 1, Status::Success);
    world.note(&[ended(&long, 4_200_000, Status::Success)]);
    assert_eq!(world.flow.edges(MINUTE).other.count(), 1);
}

#[test]
fn the_oldest_operation_that_never_ended_is_given_up_and_counted() {
    let world = World::new();
    let first = world.start("a");
    world.note(std::slice::from_ref(&first));
    for _ in 0..PENDING_MAX {
        world.note(&[world.start("a")]);
    }
    let counters = world.flow.counters();
    assert_eq!((counters.pending, counters.given_up), (PENDING_MAX, 1));
    world.note(&[ended(&first, 1, Status::Success)]);
    assert_eq!(world.flow.counters().unjoined, 1);
}

#[test]
fn a_long_subject_is_cut_at_a_letter() {
    let world = World::new();
    world.run(&"ä".repeat(SUBJECT_BYTES_MAX), 1, Status::Success);
    let subject = &world.flow.edges(MINUTE).edges[0].subject;
    assert_eq!(**subject, *"ä".repeat(SUBJECT_BYTES_MAX / 2));
}

#[test]
fn a_follower_gets_each_operation_as_it_ends_and_hears_what_it_missed() {
    let world = World::new();
    world.run("before", 1, Status::Success);
    let mut follower = world.flow.follow();
    let mut start = world.start("rpc.call:desk/Echo");
    start.business_key = "order 7".to_owned();
    let mut end = ended(&start, 5, Status::Error);
    end.status_message = "no".to_owned();
    world.note(&[start.clone(), end]);
    let heard = follower.try_recv().expect("it ended");
    assert_eq!(
        (heard.op, &*heard.subject),
        (start.op, "rpc.call:desk/Echo")
    );
    assert_eq!(
        (&*heard.business_key, &*heard.status_message),
        ("order 7", "no")
    );
    assert_eq!(heard.finished_at_ms - heard.started_at_ms, 5);
    assert!(follower.try_recv().is_err());
    for _ in 0..=FEED_MAX {
        world.run("flood", 1, Status::Success);
    }
    assert_eq!(
        follower.try_recv().expect_err("too slow"),
        TryRecvError::Lagged(1)
    );
}

#[test]
fn words_are_looked_for_in_subject_and_business_key() {
    let world = World::new();
    let mut follower = world.flow.follow();
    let mut start = world.start("rpc.call:desk/Charge_Card");
    start.business_key = "order 7".to_owned();
    let end = ended(&start, 1, Status::Success);
    world.note(&[start, end]);
    let op = follower.try_recv().expect("it ended");
    for (text, found) in [
        ("", true),
        ("charge card", true),
        ("7 DESK", true),
        ("order char", true),
        ("char order", false),
        ("refund", false),
    ] {
        assert_eq!(Words::of(text).are_in(&op), found, "{text}");
    }
}

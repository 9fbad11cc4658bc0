//! The present, with a clock that a test moves.

use std::time::Duration;

use contract::clock::{Clock, ManualClock, Timestamp};
use contract::ids::{IdMint, InstanceId, OpId, ServiceId, TraceId};
use tokio::sync::broadcast::error::TryRecvError;

use super::callers::{CLAIM_WITHIN, SPANS_MAX};
use super::state::{KEYS_MAX, PENDING_MAX, SUBJECT_BYTES_MAX};
use super::{EdgeFlow, FEED_MAX, Flow, Words};
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

/// A request over HTTP and the span of its caller, in two services.
struct Hop {
    request: Frame,
    call: Frame,
    caller: Actor,
}

impl World {
    fn hop(&self) -> Hop {
        let mut call = self.start("http.call:desk/GET /users/{id}");
        call.channel = Some(Channel::User);
        let mut request = self.start("http.handle:GET//users/{id}");
        request.channel = Some(Channel::Http);
        request.trace = call.trace;
        // Only the low half of the caller's operation travels in a header.
        let (_, span) = call.op.as_uuid().as_u64_pair();
        request.parent = Some(OpId::from_uuid(uuid::Uuid::from_u64_pair(0, span)));
        let whole = |frame: Frame| Frame {
            finished_at_ms: Some(frame.started_at_ms + 3),
            status: Some(Status::Success),
            ..frame
        };
        Hop {
            request: whole(request),
            call: whole(call),
            caller: Actor {
                service: ServiceId::mint(&self.mint),
                instance: InstanceId::mint(&self.mint),
            },
        }
    }

    fn calls(&self, hop: &Hop) {
        self.flow.note(hop.caller, [&hop.call]);
    }

    /// Callers of the route and how often each called.
    fn callers(&self) -> Vec<(Option<ServiceId>, u64)> {
        let edges = self.flow.edges(MINUTE * 5).edges;
        let requests = edges.iter().filter(|it| it.channel == Some(Channel::Http));
        let told = |it: &EdgeFlow| (it.peer, it.tally.count());
        requests.map(told).collect()
    }
}

#[test]
fn a_request_is_its_callers_whichever_of_the_two_reports_first() {
    for caller_first in [true, false] {
        let world = World::new();
        // Somebody reports calls: otherwise nothing is remembered of requests.
        world.calls(&world.hop());
        let hop = world.hop();
        if caller_first {
            world.calls(&hop);
        }
        world.note(std::slice::from_ref(&hop.request));
        if !caller_first {
            assert_eq!(world.callers(), [(None, 1)]);
            world.time.advance(Duration::from_secs(11));
            world.calls(&hop);
        }
        assert_eq!(world.callers(), [(Some(hop.caller.service), 1)]);
    }
}

#[test]
fn a_route_is_taken_to_be_called_by_who_called_it_until_time_shows_that_it_was_not() {
    let world = World::new();
    world.calls(&world.hop());
    let hop = world.hop();
    world.note(std::slice::from_ref(&hop.request));
    world.calls(&hop);
    let caller = Some(hop.caller.service);
    let other = world.hop();
    world.note(std::slice::from_ref(&other.request));
    assert_eq!(world.callers(), [(caller, 2)], "as the last one");
    world.calls(&other);
    let mut callers = world.callers();
    callers.sort_unstable();
    let mut expected = [(caller, 1), (Some(other.caller.service), 1)];
    expected.sort_unstable();
    assert_eq!(callers, expected, "it said so itself");
    world.note(&[world.hop().request]);
    world.time.advance(CLAIM_WITHIN + Duration::from_secs(1));
    assert_eq!(
        world.callers().iter().find(|it| it.0.is_none()),
        Some(&(None, 1))
    );
    world.note(&[world.hop().request]);
    let outside = world.callers();
    let outside = outside.iter().find(|it| it.0.is_none());
    assert_eq!(
        outside,
        Some(&(None, 2)),
        "and nobody is suspected any more"
    );
}

#[test]
fn a_request_of_nobody_who_reports_is_from_outside_and_so_is_one_of_its_own_service() {
    let world = World::new();
    let hop = world.hop();
    world.note(std::slice::from_ref(&hop.request));
    world.calls(&hop);
    assert_eq!(world.callers(), [(None, 1)], "nobody had reported a call");
    let own = Hop {
        caller: world.actor,
        ..world.hop()
    };
    world.calls(&own);
    world.note(std::slice::from_ref(&own.request));
    assert_eq!(world.callers(), [(None, 2)]);
}

#[test]
fn no_more_requests_are_remembered_than_there_is_room_for_and_each_is_counted_once() {
    let world = World::new();
    world.calls(&world.hop());
    let hop = world.hop();
    world.note(std::slice::from_ref(&hop.request));
    for _ in 0..SPANS_MAX {
        world.note(&[world.hop().request]);
    }
    world.calls(&hop);
    assert_eq!(world.callers(), [(None, SPANS_MAX as u64 + 1)], "too late");
}

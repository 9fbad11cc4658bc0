//! The session without a runtime: the ladder, the schedule of coming back, and how it ends.

use std::time::Duration;

use contract::clock::{ManualClock, Timestamp};
use contract::key::{Secret, ServiceKey};

use super::*;
use crate::options::{Advertise, Limits, Reconnect};

pub(crate) fn session(reconnect: Reconnect) -> (Arc<Session>, ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::from_millis(1_000_000));
    let key = ServiceKey {
        key_id: vec![1; 8],
        secret: Secret::new(vec![2; 32]),
        ca_cert_der: ca(),
    };
    let options = Options {
        name: "orders".into(),
        // Port 1 on loopback: refused at once, without a name to look up.
        runtime: "127.0.0.1:1".into(),
        key,
        advertise: Advertise::Nowhere,
        http_host: None,
        sampler: bridge_tower::Sampler::default(),
        limits: Limits {
            reconnect,
            ..Limits::default()
        },
    };
    let telemetry = Telemetry::new(&clock, &IdMint::system(&clock));
    let session = Session::new(
        clock,
        options,
        Vec::new(),
        Registration::default(),
        telemetry,
    );
    (session, hand)
}

fn ca() -> Vec<u8> {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.self_signed(&key).unwrap().der().to_vec()
}

async fn next(events: &mut broadcast::Receiver<Lifecycle>) -> Lifecycle {
    let real = Clock::system();
    real.timeout(Duration::from_secs(10), events.recv())
        .await
        .expect("in time")
        .expect("open")
}

/// Waits until somebody sleeps on the manual clock and nothing else.
async fn asleep(hand: &ManualClock) {
    while hand.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn the_ladder_climbs_to_a_minute_and_stays_there() {
    let ladder = Ladder::new(None);
    let pauses: Vec<_> = (0..7)
        .map(|rung| ladder.pause(rung, 0.5).as_secs())
        .collect();
    assert_eq!(pauses, [1, 5, 15, 30, 60, 60, 60]);
    assert_eq!(ladder.pause(0, 0.0), Duration::from_millis(800));
    assert_eq!(ladder.pause(0, 1.0), Duration::from_millis(1_200));
    let flat = Ladder::new(Some(Duration::from_millis(50)));
    assert_eq!(flat.pause(9, 0.0), Duration::from_millis(50));
}

#[tokio::test]
async fn an_absent_runtime_is_tried_again_rung_by_rung() {
    let (session, hand) = session(Reconnect {
        interval: None,
        attempts: 0,
    });
    let mut events = session.events();
    let task = tokio::spawn(control(session.clone()));
    for (attempt, seconds) in [(1, 1.0), (2, 5.0), (3, 15.0)] {
        let event = next(&mut events).await;
        let Lifecycle::Reconnecting {
            attempt: seen,
            delay,
            reason,
        } = event
        else {
            panic!("{event:?}");
        };
        assert_eq!((seen, reason.code()), (attempt, ErrorCode::Connection));
        assert!(
            (delay.as_secs_f64() / seconds - 1.0).abs() <= 0.2,
            "{delay:?}"
        );
        asleep(&hand).await;
        hand.advance(delay);
    }
    task.abort();
    let status = session.status();
    assert!(!status.is_ready);
    assert!(
        status
            .last_error
            .unwrap()
            .to_string()
            .contains("127.0.0.1:1")
    );
}

#[tokio::test]
async fn a_bound_on_attempts_ends_the_session() {
    let interval = Some(Duration::from_millis(10));
    let (session, hand) = session(Reconnect {
        interval,
        attempts: 1,
    });
    let mut events = session.events();
    let task = tokio::spawn(control(session.clone()));
    let first = next(&mut events).await;
    assert!(
        matches!(first, Lifecycle::Reconnecting { attempt: 1, .. }),
        "{first:?}"
    );
    asleep(&hand).await;
    hand.advance(Duration::from_millis(10));
    let last = next(&mut events).await;
    let Lifecycle::Disconnected { error: Some(error) } = last else {
        panic!("{last:?}")
    };
    assert_eq!(error.code(), ErrorCode::Connection);
    task.await.unwrap();
    assert_eq!(session.status().phase, Phase::Stopped);
}

#[test]
fn a_refusal_says_what_to_do_and_only_terminal_ones_end_it() {
    for (code, expected) in [
        (Code::Unauthenticated, ErrorCode::AccessDenied),
        (Code::PermissionDenied, ErrorCode::AccessDenied),
        (Code::NotFound, ErrorCode::AccessDenied),
        (Code::InvalidArgument, ErrorCode::Validation),
        (Code::FailedPrecondition, ErrorCode::Config),
        (Code::Unavailable, ErrorCode::Connection),
        (Code::ResourceExhausted, ErrorCode::Connection),
    ] {
        let error = refusal("refused", &tonic::Status::new(code, "why"));
        assert_eq!(error.code(), expected, "{code:?}");
        assert_eq!(
            is_terminal(code),
            expected != ErrorCode::Connection,
            "{code:?}"
        );
        assert!(error.to_string().starts_with("refused: why; "), "{error}");
    }
}

#[test]
fn a_session_fails_once_and_for_the_first_reason() {
    let (session, _) = session(Reconnect {
        interval: None,
        attempts: 0,
    });
    let mut events = session.events();
    session.fail(Error::config("first"));
    session.fail(Error::config("second"));
    assert!(matches!(
        events.try_recv(),
        Ok(Lifecycle::Disconnected { error: Some(_) })
    ));
    assert!(events.try_recv().is_err());
    assert_eq!(session.status().last_error.unwrap().to_string(), "first");
}

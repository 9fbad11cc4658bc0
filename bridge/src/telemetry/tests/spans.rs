//! Spans and events of `tracing`.

use contract::grpc::v1::{LogLevel, Status};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::prelude::*;

use super::*;

fn listening(change: impl FnOnce(Tracing) -> Tracing, body: impl FnOnce()) -> Telemetry {
    let (telemetry, _hand) = telemetry();
    let layer = change(telemetry.tracing()).layer();
    let subscriber = tracing_subscriber::registry().with(layer);
    ::tracing::subscriber::with_default(subscriber, body);
    telemetry
}

#[test]
fn an_event_is_an_entry_with_its_fields() {
    let telemetry = listening(std::convert::identity, || {
        ::tracing::warn!(target: "shop::stock", sku = "coffee", left = 3_u8, ratio = 0.5, low = true, why = ?Some("rain"), "stock of {} is low", "coffee");
        ::tracing::info!(answer = 42);
        ::tracing::debug!("not wanted");
    });
    let entries = logs(&telemetry);
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].level, LogLevel::Warn as i32);
    assert_eq!(
        (&*entries[0].message, &*entries[0].source),
        ("stock of coffee is low", "sdk")
    );
    let fields = serde_json::json!({
        "sku": "coffee", "left": 3, "ratio": 0.5, "low": true, "why": "Some(\"rain\")",
        "target": "shop::stock",
    });
    assert_eq!(json(&entries[0].fields_json), fields);
    assert!(
        entries[1].message.starts_with("event "),
        "{}",
        entries[1].message
    );
}

#[test]
fn the_span_of_a_request_is_no_second_operation() {
    let telemetry = listening(std::convert::identity, || {
        ::tracing::info_span!(target: bridge_tower::observe::SPAN_TARGET, "request")
            .in_scope(|| ::tracing::info!("inside"));
    });
    assert!(ops(&telemetry).is_empty());
    assert_eq!(logs(&telemetry).len(), 1);
}

#[test]
fn spans_are_operations_that_hang_under_each_other_with_their_entries() {
    let telemetry = listening(std::convert::identity, || {
        let outer = ::tracing::info_span!("outer", order = 7, late = ::tracing::field::Empty);
        let _in_outer = outer.enter();
        outer.record("late", "yes");
        ::tracing::debug_span!("no operation").in_scope(|| {
            ::tracing::info_span!("inner").in_scope(|| ::tracing::info!("inside"));
        });
    });
    let frames = ops(&telemetry);
    let names: Vec<_> = frames.iter().map(|it| &*it.subject).collect();
    assert_eq!(names, ["outer", "inner"]);
    assert_eq!(frames[1].parent_op_id, frames[0].op_id);
    assert_eq!(frames[1].trace_id, frames[0].trace_id);
    assert_eq!(
        json(&frames[0].attrs_json),
        serde_json::json!({"order": 7, "late": "yes"})
    );
    assert!(frames.iter().all(|it| it.status == Status::Success as i32));
    let entry = logs(&telemetry).remove(0);
    assert_eq!(
        (&entry.trace_id, &entry.op_id),
        (&frames[1].trace_id, &frames[1].op_id)
    );
}

#[test]
fn an_error_inside_of_a_span_fails_the_operation() {
    let telemetry = listening(std::convert::identity, || {
        ::tracing::info_span!("outer").in_scope(|| {
            ::tracing::info_span!("inner").in_scope(|| ::tracing::error!("it broke"));
        });
    });
    let frames = ops(&telemetry);
    assert_eq!(frames[0].status, Status::Success as i32);
    let inner = (frames[1].status, &*frames[1].status_message);
    assert_eq!(inner, (Status::Error as i32, "it broke"));
}

#[tokio::test]
async fn calls_hang_under_the_span_and_spans_under_the_operation_they_run_in() {
    let (telemetry, _hand) = telemetry();
    let layer = telemetry.tracing().layer();
    let subscriber = tracing_subscriber::registry().with(layer);
    let _listening = ::tracing::subscriber::set_default(subscriber);
    let outer = telemetry.op("outer").start();
    let inside = async {
        let span = ::tracing::info_span!("span");
        let _in_span = span.enter();
        drop(call(&telemetry, current().as_ref()));
        let own = telemetry.op("own").start();
        own.run(async { drop(call(&telemetry, current().as_ref())) })
            .await;
        own.ok();
    };
    outer.run(inside).await;
    outer.ok();
    let frames = ops(&telemetry);
    let parent_of = |at: usize| {
        frames
            .iter()
            .position(|it| it.op_id == frames[at].parent_op_id)
    };
    let tree: Vec<_> = (0..frames.len())
        .map(|at| (&*frames[at].subject, parent_of(at)))
        .collect();
    let expected = [
        ("outer", None),
        ("span", Some(0)),
        ("rpc.call:payments/Charge", Some(1)),
        ("own", Some(1)),
        ("rpc.call:payments/Charge", Some(3)),
    ];
    assert_eq!(tree, expected);
}

#[test]
fn what_is_left_out_is_left_out_and_carriers_are_heard_from_info_on() {
    let choose = |it: Tracing| {
        let it = it.events(LevelFilter::DEBUG).spans(LevelFilter::WARN);
        it.without("noisy")
    };
    let telemetry = listening(choose, || {
        ::tracing::error!(target: "noisy::part", "no");
        ::tracing::info!(target: "noisy_but_other", "other");
        ::tracing::debug!(target: "h2::codec", "no");
        ::tracing::debug!(target: "bridge::session", "no");
        ::tracing::warn!(target: "bridge::session", "lost");
        ::tracing::debug!(target: "bridge_shop", "mine");
        ::tracing::info_span!("no").in_scope(|| {});
    });
    let messages: Vec<_> = logs(&telemetry).into_iter().map(|it| it.message).collect();
    assert_eq!(messages, ["other", "lost", "mine"]);
    assert!(ops(&telemetry).is_empty());
}

#[test]
fn other_layers_get_what_they_got_before() {
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<::tracing::Level>>>);

    impl<S: ::tracing::Subscriber> tracing_subscriber::Layer<S> for Heard {
        fn on_event(
            &self,
            event: &::tracing::Event<'_>,
            _: tracing_subscriber::layer::Context<'_, S>,
        ) {
            self.0.lock().push(*event.metadata().level());
        }
    }

    let (telemetry, _hand) = telemetry();
    let heard = Heard::default();
    let subscriber = tracing_subscriber::registry()
        .with(heard.clone())
        .with(telemetry.tracing().layer());
    ::tracing::subscriber::with_default(subscriber, || {
        ::tracing::trace!("for the other");
        ::tracing::info!("for both");
    });
    assert_eq!(heard.0.lock().len(), 2);
    assert_eq!(logs(&telemetry).len(), 1);
}

#[tokio::test]
async fn what_sending_and_formatting_log_does_not_become_telemetry() {
    struct Chatty;

    impl std::fmt::Debug for Chatty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            ::tracing::info!("while formatting");
            f.write_str("chatty")
        }
    }

    let (telemetry, _hand) = telemetry();
    let layer = telemetry.tracing().layer();
    let subscriber = tracing_subscriber::registry().with(layer);
    let _listening = ::tracing::subscriber::set_default(subscriber);
    quietly(async {
        ::tracing::error!("while sending");
        tokio::task::yield_now().await;
        ::tracing::info_span!("while sending").in_scope(|| {});
    })
    .await;
    ::tracing::info!(value = ?Chatty, "once");
    let entries = logs(&telemetry);
    assert_eq!(entries.len(), 1);
    assert_eq!(json(&entries[0].fields_json)["value"], "chatty");
    assert!(ops(&telemetry).is_empty());
}

#[test]
fn a_value_of_any_length_is_bounded() {
    let telemetry = listening(std::convert::identity, || {
        let long = "x".repeat(100_000);
        ::tracing::info!(long = ?long, "{long}");
    });
    let entry = logs(&telemetry).remove(0);
    assert_eq!(entry.message.len(), 16 * 1024);
    assert_eq!(entry.fields_json, br#"{"_truncated":true}"#);
}

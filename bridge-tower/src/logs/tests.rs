//! Lines as they are written, to the byte, and as a JSON parser reads them.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use contract::clock::{Clock, Timestamp};
use contract::headers::TraceContext;
use parking_lot::Mutex;
use serde_json::Value;
use tracing::{error, info, warn};
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::context::{CallContext, scope};

const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// 2026-01-02T03:04:05.000678Z.
const AT_MICROS: i64 = 1_767_323_045_000_678;

/// Keeps what is written to it, one entry per call.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<String>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8(bytes.to_vec()).expect("lines are text");
        self.0.lock().push(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(body: impl FnOnce()) -> Vec<String> {
    let (clock, _) = Clock::manual(Timestamp::from_micros(AT_MICROS));
    let paper = Paper::default();
    let subscriber = tracing_subscriber::registry().with(Json::to(paper.clone(), &clock));
    tracing::subscriber::with_default(subscriber, body);
    std::mem::take(&mut paper.0.lock())
}

/// The only line, without its line break, and what it says.
fn line(body: impl FnOnce()) -> (String, Value) {
    let lines = written(body);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines[0].strip_suffix('\n').expect("a line ends");
    assert!(!line.contains('\n'), "{line}");
    let read = serde_json::from_str(line);
    (
        line.to_owned(),
        read.unwrap_or_else(|error| panic!("{error}: {line}")),
    )
}

#[test]
fn an_event_is_one_object_with_its_fields_in_order() {
    let (line, _) = line(|| info!(target: "shop", order = 7, paid = true, "it is paid"));
    assert_eq!(
        line,
        "{\"timestamp\":\"2026-01-02T03:04:05.000678Z\",\"level\":\"INFO\",\"target\":\"shop\",\
         \"message\":\"it is paid\",\"fields\":{\"order\":7,\"paid\":true}}"
    );
}

#[test]
fn an_event_of_a_call_carries_its_trace_as_the_w3c_spells_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let trace = TraceContext::from_traceparent(W3C).expect("valid");
    let logs = || {
        runtime.block_on(scope(CallContext::new(trace), async {
            warn!(target: "x", "hm")
        }))
    };
    let (line, _) = line(logs);
    assert_eq!(
        line,
        "{\"timestamp\":\"2026-01-02T03:04:05.000678Z\",\"level\":\"WARN\",\"target\":\"x\",\
         \"trace_id\":\"0af7651916cd43dd8448eb211c80319c\",\"span_id\":\"b7ad6b7169203331\",\
         \"message\":\"hm\"}"
    );
}

#[test]
fn every_kind_of_value_is_read_back_as_it_was() {
    let cause = Outer(Inner);
    let (_, read) = line(|| {
        info!(
            text = "a",
            shown = ?Some(1),
            plain = %'x',
            minus = -3_i64,
            large = u64::MAX,
            whole = 1.0,
            huge = 1e300,
            none = f64::NAN,
            error = &cause as &(dyn Error + 'static),
        );
    });
    let expected = serde_json::json!({
        "text": "a", "shown": "Some(1)", "plain": "x", "minus": -3, "large": u64::MAX,
        "whole": 1.0, "huge": 1e300, "none": "NaN", "error": "outside: inside",
    });
    assert_eq!(read["fields"], expected);
    assert_eq!(read.get("message"), None);
}

#[test]
fn every_character_survives_the_escaping() {
    let all: String = ('\0'..'\u{300}')
        .chain(['\u{2028}', '\u{fffd}', '😀'])
        .collect();
    let (line, read) = line(|| error!(text = %all, shown = ?"\"\n", "{all}"));
    assert_eq!(read["message"], all.as_str());
    assert_eq!(read["fields"]["text"], all.as_str());
    assert_eq!(read["fields"]["shown"], "\"\\\"\\n\"");
    assert!(
        line.contains("\\u0000\\u0001") && line.contains("\\t\\n\\u000b"),
        "{line}"
    );
    assert!(
        line.contains("\\u001f !\\\"#") && line.contains("[\\\\]"),
        "{line}"
    );
}

#[test]
fn a_line_is_cut_at_its_limit_and_says_so() {
    // Each of these characters takes six bytes as JSON: the cut falls at every place of one.
    for long in ["x", "\u{1}", "é", "😀"] {
        for more in 0..8 {
            let message = format!("{}{}", "y".repeat(more), long.repeat(LINE_BYTES_MAX));
            let (line, read) = line(|| info!(answer = 42, "{message}"));
            assert!(line.len() < LINE_BYTES_MAX, "{} bytes", line.len());
            assert!(line.len() > LINE_BYTES_MAX - 200, "{} bytes", line.len());
            assert_eq!(read["truncated"], true);
            assert!(message.starts_with(read["message"].as_str().expect("text")));
            assert_eq!(read.get("fields"), None, "no room for another");
        }
    }
}

#[test]
fn a_long_field_is_cut_and_short_ones_before_it_stay() {
    let long = "z".repeat(2 * LINE_BYTES_MAX);
    let (line, read) = line(|| info!(first = 1, long, last = 2, "said"));
    assert!(line.len() < LINE_BYTES_MAX);
    assert_eq!(
        (&read["message"], &read["fields"]["first"]),
        (&"said".into(), &1.into())
    );
    let kept = read["fields"]["long"].as_str().expect("text").len();
    assert!(kept > LINE_BYTES_MAX - 300, "{kept}");
    assert_eq!(read["truncated"], true);
}

#[test]
fn a_line_is_whole_until_it_no_longer_fits() {
    let (shortest, _) = line(|| info!(target: "x", "{}", ""));
    let mut were_cut = 0;
    let longest = LINE_BYTES_MAX - shortest.len();
    for len in longest - 64..longest + 2 {
        let message = "m".repeat(len);
        let (line, read) = line(|| info!(target: "x", "{message}"));
        assert!(line.len() < LINE_BYTES_MAX, "{} bytes", line.len());
        let is_cut = read.get("truncated").is_some();
        assert_eq!(read["message"] == message.as_str(), !is_cut, "{len}");
        assert!(is_cut || were_cut == 0, "{len}: a longer one fits again");
        were_cut += u32::from(is_cut);
    }
    assert!((1..64).contains(&were_cut), "{were_cut}");
}

#[test]
fn a_line_nobody_takes_is_counted() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let layer = Json::to(Full, &Clock::system());
    let lost = layer.lost();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        info!("one");
        info!("two");
    });
    assert_eq!(lost.load(Ordering::Relaxed), 2);
}

#[derive(Debug)]
struct Inner;

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("inside")
    }
}

impl Error for Inner {}

#[derive(Debug)]
struct Outer(Inner);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outside")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

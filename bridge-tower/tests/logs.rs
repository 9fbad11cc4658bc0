//! A value that logs while it is shown, under a subscriber of the whole process: only there does the
//! inner event reach the layer while the outer one is being written.

#![cfg(feature = "logs")]

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use bridge_tower::logs::Json;
use contract::clock::Clock;
use parking_lot::Mutex;
use tracing::{debug, info};
use tracing_subscriber::layer::SubscriberExt as _;

/// Keeps what is written to it.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Chatty;

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug!("inner");
        f.write_str("chatty")
    }
}

#[test]
fn a_value_that_logs_while_it_is_shown_gets_a_line_of_its_own() {
    let paper = Paper::default();
    let layer = Json::to(paper.clone(), &Clock::system());
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    info!(value = ?Chatty, "outer");
    let text = String::from_utf8(paper.0.lock().clone()).expect("text");
    let lines = text.lines().map(serde_json::from_str);
    let lines: Vec<serde_json::Value> = lines.collect::<Result<_, _>>().expect("JSON");
    let messages: Vec<_> = lines.iter().map(|it| &it["message"]).collect();
    assert_eq!(messages, ["inner", "outer"]);
    assert_eq!(lines[1]["fields"]["value"], "chatty");
}

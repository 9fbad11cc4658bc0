//! A till whose handlers promise to work once, and a file that shows how often they did.
//!
//! Invariant: a line is in the file before the handler waits, so a till that is killed has left it.

use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use bridge::State;
use contract::clock::Clock;

use super::Me;

pub(super) mod wire {
    bridge::include_contract!("e2e.till.v1");
}

/// Where charges are written.
#[derive(Clone, Debug)]
pub(super) struct Journal(pub(super) PathBuf);

impl Journal {
    fn note(&self, line: &str) {
        let file = OpenOptions::new().create(true).append(true).open(&self.0);
        let mut file = file.expect("the journal opens");
        writeln!(file, "{line}").expect("the journal is written");
    }
}

#[bridge::rpc(idempotent_by = "order_id")]
pub(super) async fn charge(
    State(me): State<Me>,
    State(journal): State<Journal>,
    req: wire::ChargeRequest,
) -> Result<wire::ChargeReply, Infallible> {
    let instance = me.instance();
    journal.note(&format!("{} {}", req.order_id, instance));
    let wait = Duration::from_millis(req.ms.into());
    Clock::system().sleep(wait).await;
    Ok(wire::ChargeReply { instance })
}

#[bridge::rpc(idempotent, idempotent_for = "1h")]
pub(super) async fn refund(
    State(me): State<Me>,
    State(journal): State<Journal>,
    req: wire::RefundRequest,
) -> Result<wire::RefundReply, Infallible> {
    let instance = me.instance();
    journal.note(&format!("refund {} {}", req.cents, instance));
    Ok(wire::RefundReply { instance })
}

//! HTTP requests as operations: how the contract names them and says how they ended.

use std::sync::Arc;

use bridge_tower::record::{Ending, Text, Verb};
use contract::grpc::v1::{Channel, OpReport};

use super::ended::Ended;

/// `HTTP.HANDLE`
const KIND_HANDLE: u32 = 1;
/// `USER.SUBOP`
const KIND_SUBOP: u32 = 1;

/// An HTTP request, served or sent, ended or running.
#[derive(Clone, Debug)]
pub(super) struct Request {
    verb: Verb,
    status: u16,
    ending: Ending,
    response_bytes: u64,
    /// Template of the route, if it is known.
    route: Option<Arc<str>>,
    path: Text,
    /// Whom it was sent to; `None` when it was served.
    peer: Option<Arc<str>>,
    key: Option<Box<str>>,
}

impl Request {
    pub(super) fn of(record: &bridge_tower::Record, route: Option<Arc<str>>) -> Self {
        Self {
            verb: record.verb,
            status: record.status,
            ending: record.ending,
            response_bytes: record.response_bytes,
            route,
            path: record.path.clone(),
            peer: record.peer.clone(),
            key: record.idempotency_key.clone(),
        }
    }

    /// How it ended; `None` while it runs.
    pub(super) fn ended(&self) -> Option<Ended> {
        Some(match self.ending {
            Ending::Running => return None,
            Ending::Aborted => Ended::Timeout,
            Ending::Answered if self.status < 400 => Ended::Success,
            Ending::Answered | Ending::Failed | Ending::Panicked => Ended::Error,
        })
    }

    /// Bytes of its texts.
    pub(super) fn bytes_apart(&self) -> usize {
        self.path.as_str().len() + self.key.as_ref().map_or(0, |key| key.len())
    }

    fn message(&self) -> String {
        match (self.ending, &self.peer) {
            (Ending::Answered, _) if self.status >= 400 => format!("HTTP {}", self.status),
            (Ending::Running | Ending::Answered, _) => String::new(),
            (Ending::Aborted, None) => "client abort".to_owned(),
            (Ending::Aborted, Some(_)) => "cancelled by the caller".to_owned(),
            (Ending::Failed, None) => "the response body failed".to_owned(),
            (Ending::Failed, Some(_)) => "the request failed".to_owned(),
            (Ending::Panicked, _) => "panic".to_owned(),
        }
    }

    /// Writes what is known of it into its frame.
    pub(super) fn describe(&self, report: &mut OpReport) {
        let (method, path) = (self.verb.as_str(), self.path.as_str());
        report.subject = if let Some(peer) = &self.peer {
            // The contract has no channel for these: they are steps of the service's own work.
            report.channel = Channel::User as i32;
            report.kind = KIND_SUBOP;
            let target = self.route.as_deref().unwrap_or_default();
            let gap = if target.is_empty() { "" } else { " " };
            ["http.call:", peer, "/", method, gap, target].concat()
        } else {
            report.channel = Channel::Http as i32;
            report.kind = KIND_HANDLE;
            let target = self.route.as_deref().unwrap_or(path);
            ["http.handle:", method, "/", target].concat()
        };
        report.business_key = match &self.key {
            Some(key) => key.to_string(),
            None => [method, " ", path].concat(),
        };
        report.status_message = self.message();
        if self.ending != Ending::Running {
            let (status, bytes) = (self.status, self.response_bytes);
            report.attrs_json = format!(
                r#"{{"http.response.status_code":{status},"http.response.body.size":{bytes}}}"#
            )
            .into_bytes();
        }
    }
}

//! `servicebridge.v1.Telemetry` on the wire: reports in, traces out.
//!
//! A batch is acknowledged after its commit, never before. When a batch cannot be stored the
//! stream ends as unavailable, so that the SDK comes back and sends it again. Logs, metrics and
//! payloads are not kept by this version: they are counted as dropped and acknowledged, so that
//! an SDK does not hold on to them for ever.

use std::pin::Pin;

use contract::grpc::v1;
use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::telemetry_server::Telemetry as TelemetryService;
use contract::ids::{OpId, TraceId};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::engine::Telemetry;
use super::model::{self, Actor, Channel, Frame, Operation};
use super::query::{Cursor, CursorError, TraceFilter, TraceSummary};
use crate::db::DbError;
use crate::identity::{Presence, caller};
use crate::settings::{Settings, keys};

/// Acknowledgements a slow client may leave unread before its stream waits.
const ACKS_WAITING_MAX: usize = 16;

/// Serves [`Telemetry`] over gRPC.
#[derive(Clone, Debug)]
pub struct TelemetryApi {
    telemetry: Telemetry,
    settings: Settings,
    presence: Presence,
}

impl TelemetryApi {
    /// Over `telemetry`; `settings` say whether reports are kept and who may ask.
    pub fn new(telemetry: &Telemetry, settings: &Settings, presence: &Presence) -> Self {
        let (telemetry, settings) = (telemetry.clone(), settings.clone());
        Self {
            telemetry,
            settings,
            presence: presence.clone(),
        }
    }

    fn may_query<T>(&self, request: &Request<T>) -> Result<(), Status> {
        caller(request)?;
        if self.settings.get(keys::SERVICES_MAY_QUERY) {
            return Ok(());
        }
        Err(Status::permission_denied(
            "services may not query traces; an operator can allow it with the setting telemetry.services_may_query",
        ))
    }
}

/// One report stream.
struct Report {
    telemetry: Telemetry,
    settings: Settings,
    actor: Actor,
    received_bytes: u64,
    dropped: u64,
}

impl Report {
    async fn take(&mut self, batch: v1::TelemetryBatch) -> Result<v1::TelemetryAck, Status> {
        self.received_bytes += prost::Message::encoded_len(&batch) as u64;
        if self.settings.get(keys::TELEMETRY_ENABLE) {
            self.store(batch.kind).await?;
        }
        Ok(v1::TelemetryAck {
            received_bytes_high_water: self.received_bytes,
            backpressure_level: 0,
            drop_count_server_side: self.dropped,
            drain_reason: String::new(),
            acknowledged_sequence: batch.sequence,
        })
    }

    async fn store(&mut self, kind: Option<Kind>) -> Result<(), Status> {
        let refused = match kind {
            Some(Kind::Ops(batch)) => {
                let all = batch.items.len();
                let frames: Vec<_> = batch.items.into_iter().filter_map(frame).collect();
                let unreadable = all - frames.len();
                let ingested = self
                    .telemetry
                    .ingest(self.actor, frames)
                    .await
                    .map_err(away)?;
                unreadable + ingested.refused
            }
            Some(Kind::Logs(batch)) => batch.items.len(),
            Some(Kind::Metrics(batch)) => batch.items.len(),
            Some(Kind::Payloads(batch)) => batch.items.len(),
            None => 0,
        };
        self.dropped += refused as u64;
        Ok(())
    }
}

#[tonic::async_trait]
impl TelemetryService for TelemetryApi {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<v1::TelemetryAck, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<v1::TelemetryBatch>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let (service, instance) = caller(&request)?;
        let mut report = Report {
            telemetry: self.telemetry.clone(),
            settings: self.settings.clone(),
            actor: Actor { service, instance },
            received_bytes: 0,
            dropped: 0,
        };
        let mut link = self.presence.link(service, instance);
        let mut batches = request.into_inner();
        let (acks, receiver) = tokio::sync::mpsc::channel(ACKS_WAITING_MAX);
        tokio::spawn(async move {
            loop {
                let batch = tokio::select! {
                    batch = batches.next() => batch,
                    _ = link.ended() => return,
                };
                // A broken stream is the client's to mend: what it got no answer for, it sends again.
                let Some(Ok(batch)) = batch else { return };
                let answer = report.take(batch).await;
                let failed = answer.is_err();
                if acks.send(answer).await.is_err() || failed {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn list_traces(
        &self,
        request: Request<v1::ListTracesRequest>,
    ) -> Result<Response<v1::ListTracesResponse>, Status> {
        self.may_query(&request)?;
        let asked = request.into_inner();
        let filter = filter(&asked)?;
        let cursor = cursor(&asked.cursor)?;
        let page = self
            .telemetry
            .list_traces(&filter, asked.limit, cursor)
            .await
            .map_err(away)?;
        Ok(Response::new(v1::ListTracesResponse {
            traces: page.traces.into_iter().map(summary).collect(),
            next_cursor: page.next.map(|next| next.to_string()).unwrap_or_default(),
        }))
    }

    async fn get_trace(
        &self,
        request: Request<v1::GetTraceRequest>,
    ) -> Result<Response<v1::GetTraceResponse>, Status> {
        self.may_query(&request)?;
        let asked = request.into_inner();
        let trace: TraceId = asked
            .trace_id
            .parse()
            .map_err(|error| Status::invalid_argument(format!("{error}")))?;
        let cursor = cursor(&asked.cursor)?;
        let page = self
            .telemetry
            .get_trace(trace, asked.limit, cursor)
            .await
            .map_err(away)?;
        Ok(Response::new(v1::GetTraceResponse {
            truncated: page.next.is_some(),
            next_cursor: page.next.map(|next| next.to_string()).unwrap_or_default(),
            ops: page.ops.into_iter().map(view).collect(),
        }))
    }

    async fn get_operation(
        &self,
        request: Request<v1::GetOperationRequest>,
    ) -> Result<Response<v1::GetOperationResponse>, Status> {
        self.may_query(&request)?;
        let id = request.into_inner().op_id;
        let op: OpId = id
            .parse()
            .map_err(|error| Status::invalid_argument(format!("{error}")))?;
        let found = self.telemetry.get_operation(op).await.map_err(away)?;
        let found =
            found.ok_or_else(|| Status::not_found(format!("operation {op} is not known")))?;
        Ok(Response::new(v1::GetOperationResponse {
            op: Some(view(found)),
        }))
    }

    async fn get_payload(
        &self,
        request: Request<v1::GetPayloadRequest>,
    ) -> Result<Response<v1::GetPayloadResponse>, Status> {
        self.may_query(&request)?;
        Err(Status::unimplemented(
            "this runtime version keeps no payloads",
        ))
    }

    async fn query_logs(
        &self,
        request: Request<v1::QueryLogsRequest>,
    ) -> Result<Response<v1::QueryLogsResponse>, Status> {
        self.may_query(&request)?;
        Err(Status::unimplemented("this runtime version keeps no logs"))
    }

    async fn query_metrics(
        &self,
        request: Request<v1::QueryMetricsRequest>,
    ) -> Result<Response<v1::QueryMetricsResponse>, Status> {
        self.may_query(&request)?;
        Err(Status::unimplemented(
            "this runtime version keeps no metrics",
        ))
    }
}

fn away(error: DbError) -> Status {
    tracing::warn!(error = %error, "the telemetry store failed");
    Status::unavailable("the telemetry store is not available now")
}

fn frame(report: v1::OpReport) -> Option<Frame> {
    let parent = report
        .parent_op_id
        .parse()
        .ok()
        .filter(|parent| *parent != OpId::NONE);
    Some(Frame {
        trace: report.trace_id.parse().ok()?,
        op: report.op_id.parse().ok()?,
        parent,
        channel: Channel::from_number(report.channel),
        kind: report.kind,
        subject: report.subject,
        peer_service: report.peer_service_id,
        peer_instance: report.peer_instance_id,
        business_key: report.business_key,
        attempt: report.attempt,
        started_at_ms: report.started_at_ms,
        finished_at_ms: report.finished_at_ms,
        status: model::Status::from_number(report.status),
        status_message: report.status_message,
        meta_json: report.meta_json,
        attrs_json: report.attrs_json,
    })
}

fn view(op: Operation) -> v1::OperationView {
    v1::OperationView {
        op_id: op.op.to_string(),
        trace_id: op.trace.to_string(),
        parent_op_id: op
            .parent
            .map(|parent| parent.to_string())
            .unwrap_or_default(),
        channel: op.channel.map_or(0, Channel::number),
        kind: op.kind,
        subject: op.subject,
        actor_service_id: op.actor.service.to_string(),
        actor_instance_id: op.actor.instance.to_string(),
        peer_service_id: op.peer_service,
        business_key: op.business_key,
        attempt: op.attempt,
        started_at_ms: op.started_at_ms,
        finished_at_ms: op.finished_at_ms,
        status: op.status.number(),
        status_message: op.status_message,
        meta_json: op.meta_json.into_bytes(),
        attrs_json: op.attrs_json.into_bytes(),
    }
}

fn summary(it: TraceSummary) -> v1::TraceSummary {
    v1::TraceSummary {
        trace_id: it.trace.to_string(),
        root_subject: it.root_subject,
        root_service_id: it.root_service.to_string(),
        started_at_ms: it.started_at_ms,
        duration_ms: it.duration_ms,
        op_count: it.op_count,
        overall_status: it.overall_status.number(),
        has_running: it.has_running,
    }
}

fn filter(asked: &v1::ListTracesRequest) -> Result<TraceFilter, Status> {
    let service = (!asked.service_id.is_empty())
        .then(|| asked.service_id.parse())
        .transpose();
    Ok(TraceFilter {
        channels: asked
            .channel_filter
            .iter()
            .filter_map(|it| Channel::from_number(*it))
            .collect(),
        statuses: asked
            .status_filter
            .iter()
            .filter_map(|it| model::Status::from_number(*it))
            .collect(),
        from_ms: (asked.from_ms != 0).then_some(asked.from_ms),
        to_ms: (asked.to_ms != 0).then_some(asked.to_ms),
        service: service
            .map_err(|error| Status::invalid_argument(format!("service_id: {error}")))?,
        text: asked.text_query.clone(),
    })
}

fn cursor(text: &str) -> Result<Option<Cursor>, Status> {
    let parsed = (!text.is_empty()).then(|| text.parse()).transpose();
    parsed.map_err(|error: CursorError| Status::invalid_argument(error.to_string()))
}

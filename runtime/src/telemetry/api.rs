//! `servicebridge.v1.Telemetry` on the wire: reports in, traces out.
//!
//! A batch is acknowledged after its commit, never before. When a batch cannot be stored the
//! stream ends as unavailable, so that the SDK comes back and sends it again. What is dropped on
//! purpose is counted and acknowledged, so that an SDK does not hold on to it for ever.

use std::pin::Pin;

use contract::clock::Clock;
use contract::grpc::v1;
use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::telemetry_server::Telemetry as TelemetryService;
use contract::ids::{OpId, TraceId};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::engine::Telemetry;
use super::intake::{Intake, Source};
use super::model::{self, Actor, Channel, Frame, Operation};
use super::query::{Cursor, CursorError, TraceFilter, TraceSummary};
use super::report::{Done, Full, Mark, Receipt, Reports, Window};
use super::wire;
use crate::db::DbError;
use crate::identity::{Presence, caller};
use crate::registry::Registry;
use crate::settings::{Settings, keys};

/// Acknowledgements a slow client may leave unread before its stream waits.
const ACKS_WAITING_MAX: usize = 16;

/// Serves [`Telemetry`] over gRPC.
#[derive(Clone, Debug)]
pub struct TelemetryApi {
    telemetry: Telemetry,
    settings: Settings,
    presence: Presence,
    intake: Intake,
    reports: Reports,
}

impl TelemetryApi {
    /// Over `reports`; `settings` say whether reports are kept and who may ask, `registry` what
    /// payloads were encoded with.
    pub fn new(
        reports: &Reports,
        settings: &Settings,
        presence: &Presence,
        registry: &Registry,
        clock: &Clock,
    ) -> Self {
        let telemetry = reports.telemetry().clone();
        let intake = Intake::new(&telemetry, settings, registry, clock);
        let settings = settings.clone();
        Self {
            telemetry,
            settings,
            presence: presence.clone(),
            intake,
            reports: reports.clone(),
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
    reports: Reports,
    settings: Settings,
    intake: Intake,
    source: Source,
    received_bytes: u64,
    window: Window,
}

impl Report {
    /// Queues a batch. It fails when it cannot be queued: then the stream has to end.
    fn take(&mut self, batch: v1::TelemetryBatch) -> Result<(), Full> {
        let bytes = prost::Message::encoded_len(&batch);
        self.received_bytes += bytes as u64;
        let mark = Mark {
            sequence: batch.sequence,
            bytes: self.received_bytes,
        };
        let kind = batch
            .kind
            .filter(|_| self.settings.get(keys::TELEMETRY_ENABLE));
        match kind {
            Some(kind) => {
                let receipt = self.queue(bytes, kind)?;
                self.window.push(mark, receipt);
            }
            None => self.window.push_done(mark),
        }
        Ok(())
    }

    fn queue(&self, bytes: usize, kind: Kind) -> Result<Receipt, Full> {
        let (intake, source) = (self.intake.clone(), self.source);
        match kind {
            Kind::Ops(batch) => {
                let items = batch.items.len();
                let frames = batch.items.into_iter().filter_map(frame).collect();
                self.reports.ops((bytes, items), source.actor, frames)
            }
            Kind::Logs(batch) => {
                let work = async move { intake.logs(source, batch).await };
                self.reports.run(bytes, work)
            }
            Kind::Metrics(batch) => {
                let work = async move { intake.metrics(source, batch).await };
                self.reports.run(bytes, work)
            }
            Kind::Payloads(batch) => {
                let work = async move { intake.payloads(source, batch).await };
                self.reports.run(bytes, work)
            }
        }
    }

    /// Reads and acknowledges until one side has enough. What was read before the client said that
    /// it is done is still acknowledged.
    async fn serve(mut self, mut batches: Streaming<v1::TelemetryBatch>, acks: Acks) {
        let mut reading = true;
        while reading || !self.window.is_empty() {
            tokio::select! {
                done = self.window.done() => {
                    let answer = done.map(|done| self.ack(done)).map_err(away);
                    let failed = answer.is_err();
                    if acks.send(answer).await.is_err() || failed {
                        return;
                    }
                }
                batch = batches.next(), if reading && self.window.has_room() => match batch {
                    Some(Ok(batch)) => {
                        if let Err(full) = self.take(batch) {
                            // An error means that the client is gone, so nobody needs to be told.
                            let _ = acks.send(Err(Status::unavailable(full.to_string()))).await;
                            return;
                        }
                    }
                    // A broken stream is the client's to mend: what it got no answer for, it sends
                    // again.
                    Some(Err(_)) => return,
                    None => reading = false,
                },
            }
        }
    }

    fn ack(&self, done: Done) -> v1::TelemetryAck {
        v1::TelemetryAck {
            received_bytes_high_water: done.mark.bytes,
            backpressure_level: self.reports.level(),
            drop_count_server_side: done.dropped,
            drain_reason: String::new(),
            acknowledged_sequence: done.mark.sequence,
        }
    }
}

/// Where a stream's acknowledgements go.
type Acks = tokio::sync::mpsc::Sender<Result<v1::TelemetryAck, Status>>;

#[tonic::async_trait]
impl TelemetryService for TelemetryApi {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<v1::TelemetryAck, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<v1::TelemetryBatch>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let (service, instance) = caller(&request)?;
        let report = Report {
            reports: self.reports.clone(),
            settings: self.settings.clone(),
            intake: self.intake.clone(),
            source: self.intake.source(Actor { service, instance }),
            received_bytes: 0,
            window: Window::default(),
        };
        let mut link = self.presence.link(service, instance);
        let (acks, receiver) = tokio::sync::mpsc::channel(ACKS_WAITING_MAX);
        tokio::spawn(async move {
            tokio::select! {
                () = report.serve(request.into_inner(), acks) => {}
                _ = link.ended() => {}
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
        let (trace, op, direction) = wire::payload_key(&request.into_inner())?;
        let mask_keys = self.intake.mask_keys();
        let found = self.telemetry.payload(op, direction, &mask_keys).await;
        let found = found.map_err(away)?;
        let found = found.filter(|it| trace.is_none_or(|trace| it.trace == trace));
        let found = found.ok_or_else(|| {
            Status::not_found(format!("operation {op} has no payload in that direction"))
        })?;
        Ok(Response::new(wire::payload(found)))
    }

    async fn query_logs(
        &self,
        request: Request<v1::QueryLogsRequest>,
    ) -> Result<Response<v1::QueryLogsResponse>, Status> {
        self.may_query(&request)?;
        let asked = request.into_inner();
        let (filter, cursor) = (wire::log_filter(&asked)?, wire::log_cursor(&asked.cursor)?);
        let page = self
            .telemetry
            .query_logs(&filter, asked.limit, cursor)
            .await;
        let page = page.map_err(away)?;
        Ok(Response::new(v1::QueryLogsResponse {
            entries: page.lines.into_iter().map(wire::log_line).collect(),
            next_cursor: page.next.map(|next| next.to_string()).unwrap_or_default(),
        }))
    }

    async fn query_metrics(
        &self,
        request: Request<v1::QueryMetricsRequest>,
    ) -> Result<Response<v1::QueryMetricsResponse>, Status> {
        self.may_query(&request)?;
        let query = wire::metric_query(request.into_inner())?;
        let page = self.telemetry.query_metrics(&query).await.map_err(away)?;
        let series = page.series.into_iter().map(wire::metric_series).collect();
        Ok(Response::new(v1::QueryMetricsResponse { series }))
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

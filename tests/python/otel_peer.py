"""A stock OpenTelemetry service: SDK, W3C propagators, OTLP receivers; none of our code.

Three servers on ports of their own:
  http   GET /extract            says what the stock propagators read from the request's headers
         GET /call?url=&sampled= calls `url` with stock instrumented requests, baggage and state
  otlp   POST /v1/traces, /v1/metrics as an OTLP/HTTP receiver; its own spans go there too
  grpc   the same two services as an OTLP/gRPC receiver

What the receivers take they print, one JSON object a line. A message with a field that the stock
protocol does not know is reported instead of taken.

usage: otel_peer.py   (stops when stdin closes)
"""

import json
import sys
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import grpc
import requests
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.proto.collector.metrics.v1 import (
    metrics_service_pb2,
    metrics_service_pb2_grpc,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SAY = threading.Lock()
REMOTE_TRACE = 0x0AF7651916CD43DD8448EB211C80319C
REMOTE_SPAN = 0xB7AD6B7169203331


def say(event, **fields):
    with SAY:
        print(json.dumps({"event": event, **fields}), flush=True)


def attributes(pairs):
    return {it.key: getattr(it.value, it.value.WhichOneof("value")) for it in pairs}


def unknown(message, path):
    """Fields of a message, or of one within it, that its definition does not have."""
    found = [f"{path}: field {it.field_number}" for it in UnknownFieldSet(message)]
    for field, value in message.ListFields():
        for one in value if field.is_repeated else [value]:
            if isinstance(one, Message):
                found += unknown(one, f"{path}.{field.name}")
    return found


def check(request, transport):
    strange = unknown(request, type(request).__name__)
    say("request", transport=transport, kind=type(request).__name__, unknown=strange)


def take_traces(request, transport):
    check(request, transport)
    for resource in request.resource_spans:
        service = attributes(resource.resource.attributes).get("service.name")
        for scope in resource.scope_spans:
            for it in scope.spans:
                say(
                    "span",
                    transport=transport,
                    service=service,
                    scope=scope.scope.name,
                    name=it.name,
                    kind=trace_kind(it.kind),
                    trace=it.trace_id.hex(),
                    span=it.span_id.hex(),
                    parent=it.parent_span_id.hex(),
                    state=it.trace_state,
                    nanos=it.end_time_unix_nano - it.start_time_unix_nano,
                    status=it.status.code,
                    attributes=attributes(it.attributes),
                )


def trace_kind(number):
    return ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"][number]


def take_metrics(request, transport):
    check(request, transport)
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for it in scope.metrics:
                kind = it.WhichOneof("data")
                for point in getattr(it, kind).data_points:
                    is_sum = kind == "sum"
                    value = point.as_int if is_sum else point.count
                    say(
                        "point",
                        transport=transport,
                        name=it.name,
                        unit=it.unit,
                        kind=kind,
                        value=value,
                        attributes=attributes(point.attributes),
                    )


class Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def Export(self, request, _):
        take_traces(request, "grpc")
        return trace_service_pb2.ExportTraceServiceResponse()


class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def Export(self, request, _):
        take_metrics(request, "grpc")
        return metrics_service_pb2.ExportMetricsServiceResponse()


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Receiver(Quiet):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-type"] != "application/x-protobuf":
            self.send_error(415)
            return
        if self.path == "/v1/traces":
            request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
            take_traces(request, "http")
            reply = trace_service_pb2.ExportTraceServiceResponse()
        elif self.path == "/v1/metrics":
            request = metrics_service_pb2.ExportMetricsServiceRequest.FromString(body)
            take_metrics(request, "http")
            reply = metrics_service_pb2.ExportMetricsServiceResponse()
        else:
            self.send_error(404)
            return
        self.answer(reply.SerializeToString(), "application/x-protobuf")


class Peer(Quiet):
    tracer = None

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/call":
            said = call(query["url"], query["sampled"] == "1")
        else:
            said = self.extract()
        self.answer(json.dumps(said).encode(), "application/json")

    def extract(self):
        found = propagate.extract(dict(self.headers.items()))
        remote = trace.get_current_span(found).get_span_context()
        with self.tracer.start_as_current_span("extract", found, kind=trace.SpanKind.SERVER) as own:
            return {
                "trace": f"{remote.trace_id:032x}",
                "parent": f"{remote.span_id:016x}",
                "remote": remote.is_remote,
                "sampled": remote.trace_flags.sampled,
                "state": dict(remote.trace_state),
                "baggage": dict(baggage.get_all(found)),
                "span": f"{own.get_span_context().span_id:016x}",
                "grpc_timeout": self.headers.get("grpc-timeout"),
            }


def call(url, sampled):
    """Calls as a service does that was itself called by another one, which had state to share."""
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if sampled else trace.TraceFlags.DEFAULT)
    state = trace.TraceState([("vendor", "opaque"), ("tenant@system", "1;2")])
    remote = trace.SpanContext(REMOTE_TRACE, REMOTE_SPAN, True, flags, state)
    here = trace.set_span_in_context(trace.NonRecordingSpan(remote))
    here = baggage.set_baggage("user", "zoë, 7", here)
    token = context.attach(here)
    try:
        answered = requests.get(url, timeout=20)
        return {"status": answered.status_code, "body": answered.json()}
    finally:
        context.detach(token)


def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    otlp = serve(Receiver)
    provider = TracerProvider(resource=Resource({"service.name": "python"}))
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{otlp}/v1/traces")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    propagate.set_global_textmap(
        CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
    )
    # Exports are requests as well; the SDK keeps them out of its own traces.
    RequestsInstrumentor().instrument()
    Peer.tracer = trace.get_tracer("peer")
    receiver = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Traces(), receiver)
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(Metrics(), receiver)
    port = receiver.add_insecure_port("127.0.0.1:0")
    receiver.start()
    say("listening", http=serve(Peer), otlp=otlp, grpc=port)
    sys.stdin.read()
    receiver.stop(None)


if __name__ == "__main__":
    main()

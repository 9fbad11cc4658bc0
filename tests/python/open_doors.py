"""Strangers at the open doors: a stock OpenTelemetry service, and a stock client of Loki's API.

usage: open_doors.py otel BASE     serves `GET /work?url=` until stdin closes; exports to BASE
       open_doors.py loki BASE SERVICE TOKEN   asks for SERVICE's log lines, says what it got

None of our code. What it has to say it prints, one JSON object a line.
"""

import json
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def otel(base):
    import requests
    from opentelemetry import metrics, propagate, trace
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.requests import RequestsInstrumentor
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": "snake", "service.instance.id": "one"})
    gzip = {"compression": Compression.Gzip}
    spans = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{base}/v1/traces", **gzip)
    spans.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(spans)
    exporter = OTLPMetricExporter(endpoint=f"{base}/v1/metrics", **gzip)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    points = MeterProvider(resource=resource, metric_readers=[reader])
    metrics.set_meter_provider(points)
    lines = LoggerProvider(resource=resource)
    exporter = OTLPLogExporter(endpoint=f"{base}/v1/logs", **gzip)
    lines.add_log_record_processor(BatchLogRecordProcessor(exporter))
    log = logging.getLogger("snake")
    log.setLevel(logging.INFO)
    log.addHandler(LoggingHandler(logger_provider=lines))
    RequestsInstrumentor().instrument()
    tracer, meter = trace.get_tracer("snake"), metrics.get_meter("snake")
    worked = meter.create_counter("snake.worked", unit="{job}")
    took = meter.create_histogram("snake.took", unit="s")

    class Work(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            url = urlsplit(self.path)
            target = parse_qs(url.query)["url"][0]
            attributes = {
                "http.request.method": "GET",
                "http.route": "/work",
                "url.path": url.path,
                "url.query": "token=hunter2",
                "http.request.header.authorization": "hunter2",
            }
            found = propagate.extract(dict(self.headers.items()))
            kind = trace.SpanKind.SERVER
            with tracer.start_as_current_span("GET /work", found, kind, attributes) as span:
                span.add_event("began", {"step": 1, "password": "hunter2"})
                worked.add(2, {"kind": "call"})
                took.record(0.02)
                log.warning("snake works for %s", "ada", extra={"api_key": "hunter2", "round": 7})
                answered = requests.get(target, timeout=20)
                span.set_attribute("http.response.status_code", answered.status_code)
            body = answered.content
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            flushed = [it.force_flush() for it in (spans, points, lines)]
            say("flushed", all=all(flushed))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Work)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say("listening", port=server.server_address[1])
    sys.stdin.read()


def loki(base, service, token):
    from loki_reader_core.client import LokiClient

    client = LokiClient(base, auth=("anybody", token))

    def lines(result):
        return [it.message for stream in result.streams for it in stream.entries]

    end = 4_000_000_000 * 10**9
    selector = '{service="%s"}' % service
    counted = 'sum by (level) (count_over_time({service="%s"}[1h]))' % service
    counted = client.query(logql=counted)
    say(
        "read",
        labels=client.get_labels(),
        services=client.get_label_values("service"),
        by_app=lines(client.query(app=service, severity="warn", since_hours=1)),
        found=lines(client.query(logql=selector + ' |= "works" !~ "nobody"', since_hours=1)),
        oldest=lines(client.query_range(selector, 0, end, limit=1, direction="forward")),
        series=[it for it in client.get_series([selector])],
        counted=[(it.labels, it.samples[-1].value) for it in counted.metric_series],
    )
    try:
        client.query(logql=selector + " | json", since_hours=1)
        say("taken")
    except Exception as error:
        say("refused", error=str(error))


if __name__ == "__main__":
    {"otel": otel, "loki": loki}[sys.argv[1]](*sys.argv[2:])

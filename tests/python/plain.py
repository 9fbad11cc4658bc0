"""A server of stock gRPC that knows nothing of us: serves `e2e.v1.Desk` without TLS.

It prints the port it listens on, and stops when stdin closes.
"""

import sys
from concurrent import futures

import grpc

import desk_pb2
import desk_pb2_grpc
from client import say


def reason(text):
    """`google.rpc.Status` with an `ErrorInfo`, encoded by hand."""

    def field(tag, value):
        return bytes([tag << 3 | 2, len(value)]) + value

    info = field(1, text.encode())
    held = field(1, b"type.googleapis.com/google.rpc.ErrorInfo") + field(2, info)
    return field(3, held)


class Desk(desk_pb2_grpc.DeskServicer):
    def Echo(self, request, context):
        said = dict(context.invocation_metadata())
        if request.text == "again":
            context.send_initial_metadata((("x-bridge-replayed", "1"),))
        return desk_pb2.EchoReply(
            text=f"python: {request.text}",
            remaining_ms=int(context.time_remaining() * 1000),
            idempotency_key=said.get("idempotency-key", ""),
            request_id=said.get("x-request-id", ""),
        )

    def Judge(self, request, context):
        if request.verdict == "refuse":
            context.set_trailing_metadata((("grpc-status-details-bin", reason("NOT_TODAY")),))
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "python says no")
        if request.verdict == "reject":
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "python is busy")
        raise RuntimeError("python is broken")


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
desk_pb2_grpc.add_DeskServicer_to_server(Desk(), server)
say("listening", port=server.add_insecure_port("127.0.0.1:0"))
server.start()
sys.stdin.read()
server.stop(None).wait()

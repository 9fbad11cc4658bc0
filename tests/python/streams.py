"""Streams with stock gRPC: reads one through the runtime, and answers calls with one.

It joins as client.py does and prints what it sees, one JSON object a line.

usage: streams.py ADDRESS HASH TARGET_SERVICE   (key in BRIDGE_KEY, stops when stdin closes)
"""

import os
import sys
import threading
from concurrent import futures

import grpc

import ticker_pb2
from client import TIMEOUT_S, Member, drain, open_session, read_key, register, say
from servicebridge.v1 import (
    call_pb2,
    call_pb2_grpc,
    invoke_pb2,
    invoke_pb2_grpc,
    registry_pb2,
)


class Answers(call_pb2_grpc.CallServicer):
    """Serves `Count`: as many messages as asked, then an error or, for `hang`, nothing."""

    def Stream(self, request, context):
        asked = ticker_pb2.CountRequest.FromString(request.payload)
        gone = threading.Event()
        context.add_callback(gone.set)
        try:
            for nth in range(1, asked.messages + 1):
                tick = ticker_pb2.Tick(nth=nth, instance="python", request_id=request.request_id)
                yield call_pb2.StreamChunk(payload=tick.SerializeToString())
            if asked.end == "hang":
                gone.wait(TIMEOUT_S)
            elif asked.end:
                yield call_pb2.StreamChunk(error_code="WORN", error_message="python's spring broke")
        finally:
            # A caller that leaves right after a message closes this without resuming it.
            if asked.end == "hang":
                say("left", in_time=gone.wait(TIMEOUT_S))


def find(frames, target):
    for frame in frames:
        is_snapshot = frame.WhichOneof("kind") == "snapshot"
        for row in frame.snapshot.methods if is_snapshot else frame.update.added:
            if row.service_name == target and row.name == "Count":
                say("found", streaming=row.streaming)
                return row
    raise SystemExit(f"the registry stream ended before {target} appeared")


def ask(channel, row, end):
    asked = ticker_pb2.CountRequest(messages=3, end=end)
    request = invoke_pb2.InvokeRequest(
        target_service_id=row.service_id,
        method=row.name,
        payload=asked.SerializeToString(),
        contract_hash=row.contract_hash.encode(),
    )
    return invoke_pb2_grpc.InvokeStub(channel).Stream(request, timeout=TIMEOUT_S)


def read(channel, row, end):
    chunks = list(ask(channel, row, end))
    ticks = [ticker_pb2.Tick.FromString(it.payload).nth for it in chunks if not it.error_code]
    errors = [[it.error_code, it.error_message, len(it.payload)] for it in chunks if it.error_code]
    say("read", ticks=ticks, errors=errors)


def leave(channel, row):
    chunks = ask(channel, row, "hang")
    for _ in range(3):
        next(chunks)
    chunks.cancel()
    say("cancelled")


def main():
    address, own_hash, target = sys.argv[1:4]
    member = Member(address, read_key(os.environ["BRIDGE_KEY"]))
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    call_pb2_grpc.add_CallServicer_to_server(Answers(), server)
    port = server.add_secure_port("127.0.0.1:0", member.server_credentials())
    server.start()
    channel = member.channel(address)
    session = open_session(channel)
    count = registry_pb2.IncomingMethod(
        type=registry_pb2.METHOD_TYPE_RPC, name="Count", contract_hash=own_hash, streaming=True
    )
    frames = register(channel, count, f"127.0.0.1:{port}", target)
    row = find(frames, target)
    say("serving")
    for end in ("", "worn"):
        read(channel, row, end)
    leave(channel, row)
    # The streams are what keeps this instance on the map; somebody has to read them.
    for stream in (session, frames):
        threading.Thread(target=drain, args=(stream,), daemon=True).start()
    sys.stdin.read()
    server.stop(1).wait()


if __name__ == "__main__":
    main()

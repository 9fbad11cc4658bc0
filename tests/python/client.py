"""An independent member of the mesh: stock gRPC, none of our code.

It reads a service key, provisions itself, opens a session, registers one method, answers calls of
it over mutual TLS, and calls another service through the runtime. What it sees it prints, one JSON
object a line. It knows the wire contract only from the .proto files, whose stubs are on its path.

usage: client.py ADDRESS OWN_HASH TARGET_SERVICE   (key in BRIDGE_KEY, stops when stdin closes)
"""

import base64
import json
import os
import sys
import threading
from concurrent import futures

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import desk_pb2
from servicebridge.v1 import (
    bootstrap_pb2,
    bootstrap_pb2_grpc,
    call_pb2,
    call_pb2_grpc,
    control_pb2,
    control_pb2_grpc,
    invoke_pb2,
    invoke_pb2_grpc,
    registry_pb2,
    registry_pb2_grpc,
)

TIMEOUT_S = 20


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def pem(der, kind):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n".encode()


def read_key(text):
    if not text.startswith("sb."):
        raise SystemExit("BRIDGE_KEY does not begin with sb.")
    body = text[3:]
    payload = bootstrap_pb2.BootstrapKeyPayload()
    payload.ParseFromString(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return payload


class Member:
    """What provisioning gave: a key pair, a leaf, the authority, and who we are."""

    def __init__(self, address, key):
        private = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "servicebridge-instance")])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject)
        csr = request.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        trust = grpc.ssl_channel_credentials(pem(key.ca_cert_der, "CERTIFICATE"))
        with grpc.secure_channel(address, trust) as channel:
            reply = bootstrap_pb2_grpc.BootstrapStub(channel).Provision(
                bootstrap_pb2.ProvisionRequest(key_id=key.key_id, secret=key.secret, csr_der=csr),
                timeout=TIMEOUT_S,
            )
        self.service_id = reply.service_id
        self.instance_id = reply.instance_id
        self.ca = pem(reply.ca_chain_der, "CERTIFICATE")
        self.leaf = pem(reply.cert_der, "CERTIFICATE")
        self.private = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        leaf = x509.load_der_x509_certificate(reply.cert_der)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        say(
            "provisioned",
            service=reply.service_id,
            instance=reply.instance_id,
            name=reply.service_name,
            uris=names.get_values_for_type(x509.UniformResourceIdentifier),
            expiry_agrees=int(leaf.not_valid_after_utc.timestamp() * 1000) == reply.not_after_unix_ms,
        )

    def channel(self, address):
        credentials = grpc.ssl_channel_credentials(self.ca, self.private, self.leaf)
        return grpc.secure_channel(address, credentials)

    def server_credentials(self):
        pair = [(self.private, self.leaf)]
        return grpc.ssl_server_credentials(pair, self.ca, require_client_auth=True)


class Answers(call_pb2_grpc.CallServicer):
    """Serves `Echo`; every other name is not found."""

    def Unary(self, request, context):
        names = context.auth_context().get("x509_subject_alternative_name", [])
        metadata = dict(context.invocation_metadata())
        say(
            "called",
            method=request.method,
            caller_service=request.caller_service,
            peer=[name.decode() for name in names],
            trace=request.x_sb_trace,
            trace_header=metadata.get("x-sb-trace", ""),
            remaining_s=context.time_remaining(),
        )
        if request.method != "Echo":
            context.abort(grpc.StatusCode.NOT_FOUND, "only Echo is served")
        asked = desk_pb2.EchoRequest.FromString(request.payload)
        if asked.text == "refuse":
            return call_pb2.CallResponse(error_code="NOT_TODAY", error_message="python says no")
        reply = desk_pb2.EchoReply(text=f"python: {asked.text}")
        return call_pb2.CallResponse(payload=reply.SerializeToString())


def open_session(channel):
    stream = control_pb2_grpc.ControlStub(channel).Open(
        control_pb2.OpenRequest(protocol_version=1, sdk_language="python", sdk_version="test")
    )
    first = next(stream)
    welcome = first.welcome
    say("welcome", service=welcome.service_name, protocol_version=welcome.protocol_version)
    return stream


def register(channel, incoming, endpoint, target):
    """Declares that `incoming` is served here, and the same method of `target` called."""
    wanted = registry_pb2.OutgoingDep(
        service_name=target, method_name=incoming.name, type=registry_pb2.METHOD_TYPE_RPC
    )
    return registry_pb2_grpc.RegistryStub(channel).RegisterAndWatch(
        registry_pb2.RegisterRequest(
            incoming=[incoming],
            outgoing=[wanted],
            call_endpoint=endpoint,
            protocol_version=1,
            sdk_language="python",
            sdk_version="test",
        )
    )


def find(frames, target):
    """Reads frames until `target` serves Echo; the first has to be a snapshot."""
    for number, frame in enumerate(frames):
        kind = frame.WhichOneof("kind")
        if number == 0:
            say("first_frame", kind=kind, policy=frame.snapshot.HasField("policy"))
        rows = frame.snapshot.methods if kind == "snapshot" else frame.update.added
        for row in rows:
            if row.service_name == target and row.name == "Echo":
                return row
    raise SystemExit(f"the registry stream ended before {target} appeared")


def call(channel, row, text):
    request = invoke_pb2.InvokeRequest(
        target_service_id=row.service_id,
        method=row.name,
        payload=desk_pb2.EchoRequest(text=text).SerializeToString(),
        request_id="from-python",
        contract_hash=row.contract_hash.encode(),
    )
    reply = invoke_pb2_grpc.InvokeStub(channel).Unary(request, timeout=TIMEOUT_S)
    answer = desk_pb2.EchoReply.FromString(reply.payload)
    say(
        "answered",
        text=answer.text,
        caller_service=answer.caller_service,
        caller_instance=answer.caller_instance,
        request_id=answer.request_id,
        error_code=reply.error_code,
    )


def main():
    address, own_hash, target = sys.argv[1:4]
    member = Member(address, read_key(os.environ["BRIDGE_KEY"]))
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    call_pb2_grpc.add_CallServicer_to_server(Answers(), server)
    port = server.add_secure_port("127.0.0.1:0", member.server_credentials())
    server.start()
    channel = member.channel(address)
    session = open_session(channel)
    echo = registry_pb2.IncomingMethod(
        type=registry_pb2.METHOD_TYPE_RPC, name="Echo", contract_hash=own_hash
    )
    frames = register(channel, echo, f"127.0.0.1:{port}", target)
    row = find(frames, target)
    say("serving", endpoint=f"127.0.0.1:{port}")
    call(channel, row, "hello from python")
    # The streams are what keeps this instance on the map; somebody has to read them.
    for stream in (session, frames):
        threading.Thread(target=drain, args=(stream,), daemon=True).start()
    sys.stdin.read()
    server.stop(1).wait()


def drain(stream):
    try:
        for _ in stream:
            pass
    except grpc.RpcError:
        pass


if __name__ == "__main__":
    main()

"""The reference for ProtoJSON and the wire: Google's own implementation.

    protojson.py generate DESCRIPTORS SEED COUNT ANYS   random messages, one JSON line each
    protojson.py check DESCRIPTORS SCHEMAS < LINES      what we made of them

ANYS says what an Any may hold: `any` message, or only a `well-known` one.

A line of the first has the type, the options of the printer, the wire bytes and the JSON. A line of
the second has the same and our JSON, and our bytes of its JSON.
"""

import base64
import difflib
import json
import random
import struct
import sys

import jsonschema
from google.protobuf import any_pb2, duration_pb2, empty_pb2, field_mask_pb2  # noqa: F401
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf import struct_pb2, timestamp_pb2, wrappers_pb2  # noqa: F401

POOL = descriptor_pool.Default()
DEPTH_MAX = 3
WELL_KNOWN_ONLY = sys.argv[-1] == "well-known"
TYPES = ["every.v1.Every"] * 4 + ["old.v1.Old"] * 2 + ["every.v1.Item", "old.v1.Line", "old.v1.Loose"]


def load(path):
    files = descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as file:
        files.ParseFromString(file.read())
    for file in files.file:
        if not file.name.startswith("google/protobuf/"):
            POOL.Add(file)


def new(name):
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(name))()


def text(rng):
    alphabet = "ab\"\\/\u0000\u001f\u007f\u00e4\u2028\ufffd\U0001f600"
    return "".join(rng.choice(alphabet) for _ in range(rng.choice([0, 1, 3, 12])))


def floating(rng, bits):
    special = [0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1e-7, 123456789.0, float("inf"), float("-inf"), float("nan")]
    if rng.random() < 0.5:
        return rng.choice(special)
    code, size = ("<f", 4) if bits == 32 else ("<d", 8)
    number = struct.unpack(code, rng.randbytes(size))[0]
    # JSON has one NaN.
    return number if number == number else float("nan")


def integer(rng, low, high):
    return rng.choice([0, 1, low, high, rng.randint(low, high), max(low, -1), rng.randint(0, 300)])


def scalar(rng, field):
    kinds = field
    if field.type in (kinds.TYPE_INT32, kinds.TYPE_SINT32, kinds.TYPE_SFIXED32):
        return integer(rng, -(2**31), 2**31 - 1)
    if field.type in (kinds.TYPE_INT64, kinds.TYPE_SINT64, kinds.TYPE_SFIXED64):
        return integer(rng, -(2**63), 2**63 - 1)
    if field.type in (kinds.TYPE_UINT32, kinds.TYPE_FIXED32):
        return integer(rng, 0, 2**32 - 1)
    if field.type in (kinds.TYPE_UINT64, kinds.TYPE_FIXED64):
        return integer(rng, 0, 2**64 - 1)
    if field.type == kinds.TYPE_FLOAT:
        return floating(rng, 32)
    if field.type == kinds.TYPE_DOUBLE:
        return floating(rng, 64)
    if field.type == kinds.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == kinds.TYPE_STRING:
        return text(rng)
    if field.type == kinds.TYPE_BYTES:
        return rng.randbytes(rng.choice([0, 1, 2, 3, 4, 40]))
    numbers = [value.number for value in field.enum_type.values]
    if not field.enum_type.is_closed and field.enum_type.full_name != "google.protobuf.NullValue":
        numbers.append(rng.randint(-(2**31), 2**31 - 1))
    return rng.choice(numbers)


def plain(rng, depth, width=3):
    """Anything that JSON has."""
    if depth > 0 and rng.random() < 0.4:
        if rng.random() < 0.5:
            return [plain(rng, depth - 1, width) for _ in range(rng.randint(0, 3))]
        return {text(rng): plain(rng, depth - 1, width) for _ in range(rng.randint(0, width))}
    number = floating(rng, 64)
    finite = number if number == number and abs(number) != float("inf") else 1.5
    return rng.choice([None, True, False, text(rng), finite, rng.randint(-9, 9)])


def fill_value(rng, value, width):
    it = plain(rng, 2, width)
    if it is None:
        value.null_value = 0
    elif isinstance(it, bool):
        value.bool_value = it
    elif isinstance(it, str):
        value.string_value = it
    elif isinstance(it, list):
        value.list_value.SetInParent()
        value.list_value.extend(it)
    elif isinstance(it, dict):
        value.struct_value.SetInParent()
        value.struct_value.update(it)
    else:
        value.number_value = it


def fill_any(rng, message):
    names = ["google.protobuf.Duration", "google.protobuf.StringValue", "google.protobuf.Empty",
             "google.protobuf.Value", None]
    inner = rng.choice(names if WELL_KNOWN_ONLY else [*names, "every.v1.Item", "old.v1.Line"])
    if inner is None:
        return
    inner = new(inner)
    fill(rng, inner, 0)
    message.Pack(inner, deterministic=True)


def fill_special(rng, message, name, depth):
    if name == "google.protobuf.Timestamp":
        message.seconds = rng.choice([0, -1, -62135596800, 253402300799, rng.randint(-62135596800, 253402300799)])
        message.nanos = rng.choice([0, 1, 1000, 1000000, 999999999, rng.randint(0, 999999999)])
    elif name == "google.protobuf.Duration":
        sign = rng.choice([1, -1])
        message.seconds = sign * rng.choice([0, 1, 315576000000, rng.randint(0, 315576000000)])
        message.nanos = sign * rng.choice([0, 1, 1000, 500000000, rng.randint(0, 999999999)])
    elif name == "google.protobuf.FieldMask":
        message.paths.extend(rng.sample(["a", "user_name", "b.c_d.e", "x1.y2", "at"], rng.randint(0, 3)))
    elif name == "google.protobuf.Struct":
        message.update({text(rng): plain(rng, 2) for _ in range(rng.randint(0, 3))})
    elif name == "google.protobuf.ListValue":
        message.extend([plain(rng, 2) for _ in range(rng.randint(0, 3))])
    elif name == "google.protobuf.Value":
        # An Any keeps bytes, and of maps with two entries the reference does not keep the order.
        fill_value(rng, message, 3 if depth > 0 else 1)
    elif name == "google.protobuf.Any":
        fill_any(rng, message)
    else:
        return False
    return True


def fill_field(rng, message, field, depth):
    entry = field.message_type if field.message_type and field.message_type.GetOptions().map_entry else None
    count = rng.choice([1, 2, 5]) if depth > 0 else 1
    if entry:
        key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
        entries = getattr(message, field.name)
        for _ in range(count):
            if value.message_type:
                fill(rng, entries[scalar(rng, key)], depth - 1)
            else:
                entries[scalar(rng, key)] = scalar(rng, value)
    elif field.is_repeated:
        for _ in range(count):
            if field.message_type:
                fill(rng, getattr(message, field.name).add(), depth - 1)
            else:
                getattr(message, field.name).append(scalar(rng, field))
    elif field.message_type:
        inner = getattr(message, field.name)
        inner.SetInParent()
        fill(rng, inner, depth - 1)
    else:
        setattr(message, field.name, scalar(rng, field))


def fill(rng, message, depth):
    if fill_special(rng, message, message.DESCRIPTOR.full_name, depth):
        return
    often = rng.choice([0.05, 0.3, 0.9])
    for field in message.DESCRIPTOR.fields:
        if field.full_name == "every.v1.Every.nulls":
            # The reference writes a list of nulls and does not read it.
            continue
        deep = depth <= 0 and field.message_type and not field.message_type.full_name.startswith("google.")
        is_map_of_scalars = deep and field.message_type.GetOptions().map_entry and not field.message_type.fields_by_name["value"].message_type
        wanted = rng.random() < often and not (deep and not is_map_of_scalars)
        if field.is_required or wanted:
            fill_field(rng, message, field, depth)


def is_exact(message):
    """Whether there is one encoding: no map whose entries have an order or defaults to leave out."""
    for field, value in message.ListFields():
        if field.message_type and field.message_type.GetOptions().map_entry:
            return False
        inner = value if field.is_repeated else [value]
        if field.message_type and not all(is_exact(it) for it in inner):
            return False
    return True


def generate(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        message = new(rng.choice(TYPES))
        fill(rng, message, DEPTH_MAX)
        options = {key: rng.random() < 0.25 for key in ("names", "defaults", "numbers")}
        shown = json_format.MessageToDict(
            message,
            preserving_proto_field_name=options["names"],
            always_print_fields_with_no_presence=options["defaults"],
            use_integers_for_enums=options["numbers"],
        )
        wire = base64.b64encode(message.SerializeToString(deterministic=True)).decode()
        line = {"type": message.DESCRIPTOR.full_name, "options": options, "exact": is_exact(message)}
        print(json.dumps(line | {"wire": wire, "json": shown}))


def agree(number, what, name, ours, sent):
    """Fails unless both are the same message; shows the lines that differ."""
    if ours.SerializeToString(deterministic=True) == sent.SerializeToString(deterministic=True):
        return
    lines = difflib.unified_diff(str(sent).splitlines(), str(ours).splitlines(), "sent", "ours", n=2, lineterm="")
    raise AssertionError("\n".join([f"message {number}, {name}: {what}", *list(lines)[:40]]))


def check(schemas):
    with open(schemas, encoding="utf-8") as file:
        schemas = {name: jsonschema.Draft202012Validator(it) for name, it in json.load(file).items()}
    for number, line in enumerate(sys.stdin):
        line = json.loads(line)
        sent = new(line["type"])
        sent.ParseFromString(base64.b64decode(line["wire"]))
        by_json = json_format.Parse(line["shown"], new(line["type"]))
        agree(number, "our JSON reads as another message", line["type"], by_json, sent)
        by_bytes = new(line["type"])
        by_bytes.ParseFromString(base64.b64decode(line["bytes"]))
        agree(number, "our bytes are another message", line["type"], by_bytes, sent)
        # Validation is slow, and original names are not what the schema describes.
        if number % 5 == 0 and not line["options"]["names"] and not line["options"]["numbers"]:
            schemas[line["type"]].validate(json.loads(line["shown"]))
    print("all agree")


if __name__ == "__main__":
    load(sys.argv[2])
    if sys.argv[1] == "generate":
        generate(int(sys.argv[3]), int(sys.argv[4]))
    else:
        check(sys.argv[3])

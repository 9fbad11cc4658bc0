//! Requests and replies by their HTTP forms.

use contract::message::{EnumTable, FieldTable, Form, Kind, Label, Scalar};

use super::*;

const fn field(number: u32, name: &'static str, label: Label, kind: Kind) -> FieldTable {
    FieldTable {
        number,
        name,
        json: name,
        doc: "",
        label,
        kind,
        oneof: None,
    }
}

const TEXT: Kind = Kind::Scalar(Scalar::String);

const fn table(name: &'static str, fields: &'static [FieldTable]) -> MessageTable {
    MessageTable {
        name,
        doc: "",
        form: Form::Fields,
        requires: false,
        fields,
    }
}

static PART: MessageTable = table("t.Part", &[field(1, "sku", Label::Implicit, TEXT)]);
static ORDER: MessageTable = table(
    "t.Order",
    &[
        field(1, "name", Label::Implicit, TEXT),
        field(2, "part", Label::Explicit, Kind::Message(&PART)),
        field(3, "tags", Label::Repeated { packed: false }, TEXT),
        field(4, "count", Label::Implicit, Kind::Scalar(Scalar::Uint32)),
    ],
);

const ORDER_JSON: &[u8] =
    br#"{"name":"orders/7 a","part":{"sku":"A&1"},"tags":["x","y"],"count":3}"#;

fn outgoing(verb: &'static str, path: &'static str, body: &'static str) -> Result<String, Failure> {
    let form = JsonForm {
        input: &ORDER,
        output: &ORDER,
        verb,
        path,
        body,
        response_body: "",
    };
    let payload = json_to_bytes(&ORDER, ORDER_JSON, READING).unwrap();
    let out = form.outgoing(&payload)?;
    let body = out
        .body
        .map_or("-".to_owned(), |body| String::from_utf8(body).unwrap());
    Ok(format!("{} {} {body}", out.method, out.path_and_query))
}

#[test]
fn path_query_and_body_share_the_fields_between_them() {
    for (verb, path, body, expected) in [
        (
            "POST",
            "/t.Orders/Place",
            "*",
            r#"POST /t.Orders/Place {"count":3,"name":"orders/7 a","part":{"sku":"A&1"},"tags":["x","y"]}"#,
        ),
        (
            "GET",
            "/v1/{name=orders/*}",
            "",
            "GET /v1/orders/7%20a?count=3&part.sku=A%261&tags=x&tags=y -",
        ),
        (
            "PUT",
            "/v1/{name}:move",
            "part",
            r#"PUT /v1/orders%2F7%20a:move?count=3&tags=x&tags=y {"sku":"A&1"}"#,
        ),
        (
            "PATCH",
            "/v1/{count}/{part.sku}",
            "*",
            r#"PATCH /v1/3/A%261 {"name":"orders/7 a","part":{},"tags":["x","y"]}"#,
        ),
    ] {
        assert_eq!(outgoing(verb, path, body).unwrap(), expected);
    }
}

#[test]
fn a_path_is_never_made_with_an_empty_field() {
    let form = JsonForm {
        input: &ORDER,
        output: &ORDER,
        verb: "GET",
        path: "/v1/{name}",
        body: "",
        response_body: "",
    };
    let failure = form.outgoing(&[]).unwrap_err();
    assert_eq!(failure.code, ErrorCode::Validation);
    assert!(failure.message.contains("`name`"), "{}", failure.message);
}

#[test]
fn a_path_never_goes_up_a_folder() {
    let form = |path| JsonForm {
        input: &ORDER,
        output: &ORDER,
        verb: "GET",
        path,
        body: "",
        response_body: "",
    };
    for (path, name) in [
        ("/v1/{name}", ".."),
        ("/v1/{name}", "."),
        ("/v1/{name=**}", "a/../../admin"),
    ] {
        let json = format!(r#"{{"name":"{name}"}}"#);
        let payload = json_to_bytes(&ORDER, json.as_bytes(), READING).unwrap();
        let failure = form(path).outgoing(&payload).unwrap_err();
        assert_eq!(failure.code, ErrorCode::Validation, "{name}");
    }
    let payload = json_to_bytes(&ORDER, br#"{"name":"..."}"#, READING).unwrap();
    assert!(form("/v1/{name}").outgoing(&payload).is_ok());
}

#[test]
fn a_reply_is_the_message_or_one_field_of_it_and_may_hold_more_than_we_know() {
    let form = |response_body| JsonForm {
        input: &ORDER,
        output: &ORDER,
        verb: "GET",
        path: "/",
        body: "",
        response_body,
    };
    let whole = form("").reply(br#"{"count":3,"new":true}"#).unwrap();
    assert_eq!(whole, [0x20, 3]);
    assert_eq!(form("").reply(b"").unwrap(), b"");
    let part = form("part").reply(br#"{"sku":"A"}"#).unwrap();
    assert_eq!(part, [0x12, 3, 0x0a, 1, b'A']);
    let bad = form("").reply(b"<html>").unwrap_err();
    assert_eq!(bad.code, ErrorCode::Internal);
}

static LIFE: EnumTable = EnumTable {
    name: "t.Life",
    doc: "",
    closed: false,
    values: &[("DRAFT", 0), ("PLACED", 1)],
};
static SHELF: MessageTable = table(
    "t.Shelf",
    &[
        field(1, "row", Label::Implicit, Kind::Scalar(Scalar::Uint32)),
        field(2, "id", Label::Implicit, Kind::Scalar(Scalar::Int64)),
        FieldTable {
            json: "isCold",
            ..field(3, "is_cold", Label::Implicit, Kind::Scalar(Scalar::Bool))
        },
        field(4, "life", Label::Implicit, Kind::Enum(&LIFE)),
        field(5, "part", Label::Explicit, Kind::Message(&PLACE)),
        field(6, "weight", Label::Implicit, Kind::Scalar(Scalar::Double)),
        field(7, "maybe", Label::Explicit, Kind::Scalar(Scalar::Uint32)),
        field(8, "raw", Label::Implicit, Kind::Scalar(Scalar::Bytes)),
    ],
);
static PLACE: MessageTable = table(
    "t.Place",
    &[field(
        1,
        "row",
        Label::Implicit,
        Kind::Scalar(Scalar::Uint32),
    )],
);

#[test]
fn a_default_that_is_a_segment_is_part_of_the_path() {
    let asked = |path: &'static str, json: &[u8]| {
        let form = JsonForm {
            input: &SHELF,
            output: &SHELF,
            verb: "GET",
            path,
            body: "",
            response_body: "",
        };
        let payload = json_to_bytes(&SHELF, json, READING).unwrap();
        form.outgoing(&payload).map(|it| it.path_and_query)
    };
    for (path, json, expected) in [
        ("/{row}/{id}", "{}", "/0/0"),
        ("/{row}/{id}", r#"{"row":0,"id":"0"}"#, "/0/0"),
        ("/{row}/{id}", r#"{"row":7,"id":"-9"}"#, "/7/-9"),
        ("/{is_cold}", "{}", "/false"),
        ("/{is_cold}", r#"{"is_cold":true}"#, "/true"),
        ("/{life}", "{}", "/DRAFT"),
        ("/{life}", r#"{"life":"PLACED"}"#, "/PLACED"),
        ("/{part.row}", "{}", "/0"),
        ("/{part.row}", r#"{"part":{}}"#, "/0"),
        ("/{weight}", "{}", "/0"),
        ("/{maybe}", r#"{"maybe":0}"#, "/0"),
    ] {
        let target = asked(path, json.as_bytes()).unwrap();
        assert_eq!(target, expected, "{path} {json}");
    }
    for (path, json) in [
        ("/{maybe}", "{}"),
        ("/{raw}", "{}"),
        ("/{part}", "{}"),
        ("/{none}", "{}"),
    ] {
        let refused = asked(path, json.as_bytes()).unwrap_err();
        assert_eq!(refused.code, ErrorCode::Validation, "{path}");
    }
}

#[test]
fn query_and_body_have_the_names_of_json() {
    let asked = |verb: &'static str, body: &'static str| {
        let form = JsonForm {
            input: &SHELF,
            output: &SHELF,
            verb,
            path: "/{row}",
            body,
            response_body: "",
        };
        let payload = json_to_bytes(&SHELF, br#"{"isCold":true,"weight":1.5}"#, READING).unwrap();
        let out = form.outgoing(&payload).unwrap();
        let body = out
            .body
            .map_or("-".to_owned(), |it| String::from_utf8(it).unwrap());
        format!("{} {body}", out.path_and_query)
    };
    assert_eq!(asked("GET", ""), "/0?isCold=true&weight=1.5 -");
    assert_eq!(asked("POST", "*"), r#"/0 {"isCold":true,"weight":1.5}"#);
    assert_eq!(asked("POST", "is_cold"), "/0?weight=1.5 true");
    // A body that is not set is its default, in its own form.
    assert_eq!(asked("POST", "part"), "/0?isCold=true&weight=1.5 {}");
    assert_eq!(asked("POST", "id"), r#"/0?isCold=true&weight=1.5 "0""#);
    assert_eq!(asked("POST", "raw"), r#"/0?isCold=true&weight=1.5 """#);
    assert_eq!(asked("POST", "maybe"), "/0?isCold=true&weight=1.5 null");
}

#[test]
fn an_empty_list_as_the_body_is_a_list() {
    let form = JsonForm {
        input: &ORDER,
        output: &ORDER,
        verb: "POST",
        path: "/",
        body: "tags",
        response_body: "",
    };
    assert_eq!(form.outgoing(&[]).unwrap().body.unwrap(), b"[]");
}

#[test]
fn a_value_that_does_not_fit_its_pattern_is_not_sent() {
    let refused = outgoing("GET", "/v1/{name=customers/*}", "").unwrap_err();
    assert_eq!(refused.code, ErrorCode::Validation);
    assert!(
        refused.message.contains("`customers/*`"),
        "{}",
        refused.message
    );
}

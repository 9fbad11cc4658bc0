//! What captured payloads promise: reading and masking as pure cases, storing on both databases.

use contract::ids::{IdMint, InstanceId, OpId, ServiceId, TraceId};
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Value, json};

use super::super::Actor;
use super::super::mask::MaskKeys;
use super::decode::{Broken, Walked, walk};
use super::model::{Direction, PayloadReport, RAW_JSON, Rules};
use super::schema::Description;
use super::store;
use super::{Payload, Payloads};
use crate::db::History;
use crate::db::testing::on_both_databases;

const LOGIN: &str = r#"{"edition":"proto2","oneofs":{"_age":{"oneof":["age"]}},"fields":{
    "user":{"type":"string","id":1},
    "password":{"type":"string","id":2},
    "age":{"type":"int32","id":3},
    "scores":{"rule":"repeated","type":"sint64","id":4},
    "headers":{"keyType":"string","type":"string","id":5},
    "card":{"type":"Card","id":6},
    "cards":{"rule":"repeated","type":"shop.v1.Login.Card","id":7},
    "state":{"type":"State","id":8},
    "amount":{"type":"double","id":9},
    "secretNumber":{"type":"fixed32","id":10},
    "neighbour":{"type":"Money","id":11},
    "tokens":{"rule":"repeated","type":"bytes","id":12},
    "deep":{"type":"Card.Chip","id":13},
    "flag":{"type":"bool","id":14},
    "big":{"type":"uint64","id":15},
    "byNumber":{"keyType":"int32","type":"Card","id":16}},
  "nested":{
    "Card":{"fields":{"holder":{"type":"string","id":1},"apiKey":{"type":"bytes","id":2},
                      "chip":{"type":"Chip","id":3}},
            "nested":{"Chip":{"fields":{"serial":{"type":"uint32","id":1}}}}},
    "State":{"values":{"OPEN":0,"SHUT":-1}}}}"#;

fn keys() -> MaskKeys {
    MaskKeys::new(&["password", "secret", "token", "api_key", "authorization"].map(str::to_owned))
}

fn login() -> Description {
    Description::parse(LOGIN.as_bytes()).expect("a description")
}

/// A length-delimited field.
fn bytes(number: u32, content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut out);
    encode_varint(content.as_ref().len() as u64, &mut out);
    out.extend_from_slice(content.as_ref());
    out
}

fn varint(number: u32, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(number, WireType::Varint, &mut out);
    encode_varint(value, &mut out);
    out
}

fn packed(values: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|it| encode_varint(*it, &mut out));
    out
}

fn entry(key: Vec<u8>, value: Vec<u8>) -> Vec<u8> {
    [key, value].concat()
}

fn walked(message: &[Vec<u8>]) -> Walked {
    walk(&login(), &message.concat(), false, &keys()).expect("a message")
}

#[test]
fn every_kind_of_field_is_rendered_and_stays_byte_for_byte() {
    let message = [
        bytes(1, "ada"),
        varint(3, (-7_i64).cast_unsigned()),
        bytes(4, packed(&[1, 2])),
        varint(4, 5),
        bytes(5, entry(bytes(1, "accept"), bytes(2, "*/*"))),
        bytes(6, entry(bytes(1, "A. L."), bytes(3, varint(1, 9)))),
        bytes(7, bytes(1, "one")),
        bytes(7, bytes(1, "two")),
        varint(8, u64::MAX),
        [vec![9 << 3 | 1], 2.5_f64.to_le_bytes().to_vec()].concat(),
        bytes(11, varint(1, 5)),
        bytes(13, varint(1, 3)),
        varint(14, 1),
        varint(15, u64::MAX),
        bytes(16, entry(varint(1, 8), bytes(2, bytes(1, "eight")))),
    ];
    let walked = walked(&message);
    assert_eq!(walked.masked, message.concat());
    assert!(!walked.unknown_fields);
    let expected = json!({
        "user": "ada", "age": -7, "scores": [-1, 1, -3], "headers": {"accept": "*/*"},
        "card": {"holder": "A. L.", "chip": {"serial": 9}},
        "cards": [{"holder": "one"}, {"holder": "two"}], "state": "SHUT", "amount": 2.5,
        "neighbour": "CAU=", "deep": {"serial": 3}, "flag": true, "big": u64::MAX,
        "byNumber": {"8": {"holder": "eight"}},
    });
    assert_eq!(walked.json, expected);
}

#[test]
fn secrets_are_masked_wherever_they_are() {
    let walked = walked(&[
        bytes(1, "ada"),
        bytes(2, "hunter2"),
        bytes(
            5,
            entry(bytes(1, "Authorization"), bytes(2, "Bearer hunter2")),
        ),
        bytes(6, entry(bytes(1, "A. L."), bytes(2, "hunter2"))),
        [vec![10 << 3 | 5], 4711_u32.to_le_bytes().to_vec()].concat(),
        bytes(12, "hunter2"),
        bytes(12, "hunter3"),
    ]);
    let again = [
        bytes(1, "ada"),
        bytes(2, "***"),
        bytes(5, entry(bytes(1, "Authorization"), bytes(2, "***"))),
        bytes(6, entry(bytes(1, "A. L."), bytes(2, "***"))),
        bytes(12, "***"),
        bytes(12, "***"),
    ];
    assert_eq!(walked.masked, again.concat());
    let expected = json!({
        "user": "ada", "password": "***", "headers": {"Authorization": "***"},
        "card": {"holder": "A. L.", "apiKey": "***"}, "secretNumber": "***", "tokens": "***",
    });
    assert_eq!(walked.json, expected);
}

#[test]
fn a_message_cut_anywhere_is_walked_up_to_the_cut() {
    let card = entry(bytes(1, "A. L."), bytes(2, "hunter2hunter2"));
    let message = [
        bytes(1, "ada"),
        bytes(2, "hunter2"),
        bytes(6, card),
        bytes(4, packed(&[300, 2])),
    ];
    let message = message.concat();
    for end in 0..=message.len() {
        let walked = walk(&login(), &message[..end], true, &keys()).expect("walks");
        let text = format!(
            "{} {}",
            String::from_utf8_lossy(&walked.masked),
            walked.json
        );
        assert!(!text.contains("hunter"), "{end}: {text}");
    }
}

#[test]
fn what_is_no_such_message_is_told() {
    let broken = |message: &[u8]| walk(&login(), message, false, &keys());
    for message in [
        &b"{\"a\":1}"[..],
        &bytes(1, [0xff, 0xfe]),
        &bytes(1, "ada")[..3],
        &varint(1, 5),
        &varint(6, 5),
        &[0],
        &[0xff; 12],
        &bytes(4, [0x80]),
        &bytes(9, "x"),
    ] {
        assert_eq!(broken(message), Err(Broken), "{message:?}");
    }
    assert!(broken(&varint(99, 5)).expect("walks").unknown_fields);
    assert_eq!(broken(b"").expect("an empty message").json, json!({}));
    let nest = |inner: Vec<u8>| bytes(1, inner);
    let deep = (0..200).fold(Vec::new(), |inner, _| nest(inner));
    let own = Description::parse(
        br#"{"fields":{"a":{"type":"A","id":1}},
        "nested":{"A":{"fields":{"a":{"type":"A","id":1}}}}}"#,
    );
    assert_eq!(
        walk(&own.expect("a description"), &deep, false, &keys()),
        Err(Broken)
    );
    for bad in ["", "{}", "[]", r#"{"fields":[]}"#] {
        assert!(Description::parse(bad.as_bytes()).is_none(), "{bad}");
    }
}

fn actor(mint: &IdMint) -> Actor {
    Actor {
        service: ServiceId::mint(mint),
        instance: InstanceId::mint(mint),
    }
}

fn report(mint: &IdMint, bytes: &[u8], contract_hash: &str) -> PayloadReport {
    PayloadReport {
        trace: TraceId::mint(mint),
        op: OpId::mint(mint),
        direction: Direction::In,
        bytes: bytes.to_vec(),
        original_size: 0,
        contract_hash: contract_hash.to_owned(),
    }
}

async fn ingest(payloads: &Payloads, who: Actor, reports: &[&PayloadReport]) {
    let rules = Rules {
        mask_keys: &keys(),
        bytes_max: 64,
    };
    let reports = reports.iter().map(|it| (*it).clone()).collect();
    payloads.ingest(who, reports, rules).await.expect("stores");
}

async fn get(payloads: &Payloads, of: &PayloadReport, owner: Option<ServiceId>) -> Option<Payload> {
    let found = payloads.get(of.op, of.direction, owner, &keys()).await;
    found.expect("loads")
}

on_both_databases! {
    async fn json_is_masked_and_read_back(t: TestDb) {
        let payloads = Payloads::new(&t.db, &t.clock);
        let who = actor(&t.mint);
        let body = report(&t.mint, br#"{"user":"ada","password":"x"}"#, RAW_JSON);
        let answer = PayloadReport {
            direction: Direction::Out,
            bytes: b"not json \xff\x00".to_vec(),
            ..body.clone()
        };
        ingest(&payloads, who, &[&body, &answer]).await;
        let found = get(&payloads, &body, None).await.expect("is there");
        let masked = br#"{"user":"ada","password":"***"}"#.to_vec();
        assert_eq!((found.trace, found.service), (body.trace, who.service));
        assert_eq!((&found.bytes, found.json.as_ref()), (&masked, Some(&masked)));
        assert_eq!((found.original_size, found.schema_drift), (29, false));
        let found = get(&payloads, &answer, Some(who.service)).await.expect("is there");
        assert_eq!((found.bytes, found.json), (answer.bytes.clone(), None));
        assert_eq!(get(&payloads, &report(&t.mint, b"", ""), None).await, None);
    }

    async fn a_long_one_is_masked_then_cut_and_keeps_its_size(t: TestDb) {
        let payloads = Payloads::new(&t.db, &t.clock);
        let text = format!(r#"{{"password":"{}","b":"{}"}}"#, "x".repeat(90), "y".repeat(200));
        let long = report(&t.mint, text.as_bytes(), RAW_JSON);
        // This one lost its end on the way here.
        let cut = PayloadReport {
            original_size: 5_000,
            ..report(&t.mint, &text.as_bytes()[..40], RAW_JSON)
        };
        ingest(&payloads, actor(&t.mint), &[&long, &cut]).await;
        let found = get(&payloads, &long, None).await.expect("is there");
        assert_eq!(found.bytes.len(), 64);
        assert!(found.bytes.starts_with(br#"{"password":"***","b":"yyy"#));
        assert_eq!(found.original_size, i64::try_from(text.len()).expect("small"));
        assert_eq!((found.json, found.schema_drift), (None, false));
        let found = get(&payloads, &cut, None).await.expect("is there");
        assert_eq!((&found.bytes[..], found.original_size), (&br#"{"password":"***""#[..], 5_000));
    }

    async fn the_last_of_a_direction_wins_unless_it_is_a_strangers(t: TestDb) {
        let payloads = Payloads::new(&t.db, &t.clock);
        let (owner, stranger) = (actor(&t.mint), actor(&t.mint));
        let first = report(&t.mint, b"[1]", RAW_JSON);
        let second = PayloadReport { bytes: b"[2]".to_vec(), ..first.clone() };
        let theirs = PayloadReport { bytes: b"[3]".to_vec(), ..first.clone() };
        ingest(&payloads, owner, &[&first]).await;
        let replica = Actor { instance: InstanceId::mint(&t.mint), ..owner };
        ingest(&payloads, replica, &[&first, &second]).await;
        ingest(&payloads, stranger, &[&theirs]).await;
        let found = get(&payloads, &first, Some(owner.service)).await.expect("is there");
        assert_eq!(found.bytes, b"[2]");
        let found = get(&payloads, &first, Some(stranger.service)).await.expect("is there");
        assert_eq!(found.bytes, b"[3]", "shown only if the operation is theirs");
        assert_eq!(get(&payloads, &first, Some(ServiceId::mint(&t.mint))).await, None);
    }

    async fn an_unknown_contract_is_kept_as_it_came_and_said_so(t: TestDb) {
        let payloads = Payloads::new(&t.db, &t.clock);
        let message = bytes(2, "hunter2");
        let unknown = report(&t.mint, &message, "v2:unknown");
        let json = report(&t.mint, br#" {"token":1}"#, "v2:unknown");
        ingest(&payloads, actor(&t.mint), &[&unknown, &json]).await;
        let found = get(&payloads, &unknown, None).await.expect("is there");
        assert_eq!((found.bytes, found.json, found.schema_drift), (message, None, true));
        let found = get(&payloads, &json, None).await.expect("is there");
        assert_eq!((&found.bytes[..], found.schema_drift), (&br#" {"token":"***"}"#[..], true));
    }

    async fn schemas_beside_the_payloads_read_them_later(t: TestDb) {
        let payloads = Payloads::new(&t.db, &t.clock);
        let message = [bytes(1, "ada"), bytes(2, "hunter2")].concat();
        let early = report(&t.mint, &message, "v2:login");
        ingest(&payloads, actor(&t.mint), &[&early]).await;
        let slice = t.db.slices(History::Payloads)[0].id;
        // The contract became known after the payload was taken in.
        t.db.write_slice::<(), crate::db::DbError, _>(History::Payloads, slice, "plant", move |conn| {
            Box::pin(async move {
                let schemas = (LOGIN.as_bytes(), &b""[..]);
                store::save_contract(conn, slice, "v2:login", schemas).await?;
                store::save_contract(conn, slice, "v2:login", schemas).await
            })
        })
        .await
        .expect("plants");
        let found = get(&payloads, &early, None).await.expect("is there");
        let json: Value = serde_json::from_slice(&found.json.expect("decodes")).expect("JSON");
        assert_eq!(json, json!({ "user": "ada", "password": "***" }));
        assert_eq!(found.bytes, [bytes(1, "ada"), bytes(2, "***")].concat(), "masked at last");
        assert!(!found.schema_drift);
        let out = PayloadReport { direction: Direction::Out, ..early };
        ingest(&payloads, actor(&t.mint), &[&out]).await;
        let found = get(&payloads, &out, None).await.expect("is there");
        assert!(found.schema_drift, "there is no schema for answers");
    }

    async fn one_sent_again_after_a_rotation_meets_the_first(t: TestDb) {
        let payloads = Payloads::new(&t.db, &t.clock);
        let who = actor(&t.mint);
        let old = report(&t.mint, b"[1]", RAW_JSON);
        ingest(&payloads, who, &[&old]).await;
        let later = t.clock.now().as_millis() + 1_000;
        let newest = t.db.add_slice(History::Payloads, later).await.expect("adds");
        ingest(&payloads, who, &[&PayloadReport { bytes: b"[2]".to_vec(), ..old.clone() }]).await;
        assert_eq!(get(&payloads, &old, None).await.expect("is there").bytes, b"[2]");
        t.db.drop_slice(History::Payloads, newest - 1).await.expect("drops");
        assert_eq!(get(&payloads, &old, None).await, None, "no copy was left elsewhere");
        // An id that tells no time goes to the current slice and is found there.
        let foreign = OpId::from_uuid(uuid::Uuid::from_u128(7));
        let foreign = PayloadReport { op: foreign, ..old };
        ingest(&payloads, who, &[&foreign]).await;
        assert_eq!(get(&payloads, &foreign, None).await.expect("is there").bytes, b"[1]");
    }
}

//! Required fields: found missing at any depth, and never where they are there.

use contract::message::{Violation, check_required};

use crate::world::table;

fn violation(bytes: &[u8]) -> Option<String> {
    check_required(table("old.v1.Old"), bytes)
        .err()
        .map(|it| it.to_string())
}

const ID: [u8; 2] = [0x08, 1];
/// `always`, with its required field.
const ALWAYS: [u8; 5] = [0x72, 3, 0x0a, 1, b'a'];

#[test]
fn a_message_with_all_of_them_passes() {
    assert_eq!(violation(&[&ID[..], &ALWAYS].concat()), None);
}

#[test]
fn the_way_to_a_missing_one_names_fields_indexes_and_keys() {
    for (bytes, path) in [
        (&[][..], "id"),
        (&[0x72, 0], "always.sku"),
        (&[0x32, 3, 0x0a, 1, b'a', 0x32, 0], "lines[1].sku"),
        (&[0x32, 5, 0x0a, 1, b'a', 0x1a, 0], "lines[0].parts[0].sku"),
        (&[0x3a, 3, 0x0a, 1, b'k'], "by_name[\"k\"].sku"),
        (&[0x62, 0], "first.sku"),
    ] {
        let id: &[u8] = if path == "id" { &[] } else { &ID };
        let bytes = [
            id,
            bytes,
            if path.starts_with("always") {
                &[]
            } else {
                &ALWAYS
            },
        ]
        .concat();
        let violation = check_required(table("old.v1.Old"), &bytes).expect_err(path);
        assert_eq!(violation.path(), path);
        let message = if path == "id" {
            "old.v1.Old"
        } else {
            "old.v1.Line"
        };
        assert_eq!(
            violation.to_string(),
            format!("required field `{path}` of {message} is missing")
        );
    }
}

#[test]
fn pieces_of_a_message_count_together() {
    // `always` in two pieces, the required field in the second.
    let pieces = [0x72, 2, 0x10, 3, 0x72, 3, 0x0a, 1, b'a'];
    assert_eq!(violation(&[&ID[..], &pieces].concat()), None);
    // A member of a oneof that was replaced is not asked.
    let replaced = [0x62, 0, 0x68, 1];
    assert_eq!(violation(&[&ID[..], &ALWAYS, &replaced].concat()), None);
}

#[test]
fn messages_without_a_way_to_a_required_field_are_not_read() {
    assert_eq!(check_required(table("old.v1.Loose"), &[0xff]), Ok(()));
    assert!(!table("old.v1.Loose").requires && table("old.v1.Line").requires);
    assert!(table("old.v1.Old").requires && !table("every.v1.Every").requires);
}

#[test]
fn bytes_that_are_no_message_are_said_to_be_none() {
    let violation = check_required(table("old.v1.Old"), &[0x08, 1, 0x72, 1, 0x0a]);
    let expected = Violation::Unreadable {
        path: "always".to_owned(),
        message: "old.v1.Line",
        reason: "the bytes end inside of a field".to_owned(),
    };
    assert_eq!(violation, Err(expected));
}

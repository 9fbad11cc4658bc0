//! Fields whose names and numbers part: what travels is judged by number, whatever it was called.

use super::tests::lock;
use super::{Places, Verdict, compare};

/// The differences of a message with the fields, as lines for people, worst first.
#[track_caller]
fn check(old: &str, new: &str, expected: &[&str]) {
    let [old, new] = [old, new].map(|entries| {
        let entries: Vec<_> = entries.split(", ").collect();
        lock(&format!("lock 1\nmessage m\n  {}\n", entries.join("\n  ")))
    });
    let report = compare(&old, &new, &Places::default());
    let of_message = |line: String| line.replace("`m`: ", "");
    let lines = report.changes.iter().map(|it| of_message(it.to_string()));
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

fn moved(name: &str, [from, to]: [u32; 2]) -> String {
    format!(
        "major: field `{name}` has number {to} instead of {from} (breaks wire): give it number {from} \
         back; a number is what travels"
    )
}

const TOOK_1: &str = "major: field 1 `a_old` is new, with the number that `a` had (breaks wire): take \
                      a number that was never used";

#[test]
fn a_field_that_takes_a_number_from_another_breaks_the_wire() {
    let moved = moved("a", [1, 2]);
    check(
        "1 a optional string",
        "1 a_old optional string, 2 a required string",
        &[
            TOOK_1,
            "major: field 1 `a` is required instead of optional (breaks wire, json, code): leave it \
             optional; what is sent without it would be refused",
            &moved,
        ],
    );
    check(
        "1 a optional string, reserved 2 2",
        "1 a_old optional string, 2 a optional int32",
        &[
            TOOK_1,
            "major: field 1 `a` is `int32` instead of `string` (breaks wire, json, code): keep 1 as \
             it was, and add a field with a number of its own",
            "major: field 2 `a` is new, though its number or name was reserved (breaks wire, json): \
             take a number and a name that were never used",
            &moved,
        ],
    );
}

#[test]
fn a_field_that_is_put_first_moves_all_behind_it() {
    check(
        "1 a string, 2 b string",
        "1 z string, 2 a string, 3 b string",
        &[
            "major: field 1 `z` is new, with the number that `a` had (breaks wire): take a number \
             that was never used",
            &moved("a", [1, 2]),
            &moved("b", [2, 3]),
        ],
    );
}

#[test]
fn fields_that_swap_numbers_swap_their_values_on_the_wire() {
    check(
        "1 from string, 2 to string",
        "1 to string, 2 from string",
        &[&moved("from", [1, 2]), &moved("to", [2, 1])],
    );
}

#[test]
fn a_field_that_is_gone_and_whose_number_another_has_breaks_the_wire() {
    check(
        "1 a string, 2 b string",
        "1 b string",
        &[
            "major: field 1 `a` is gone (breaks wire, json, code): put it back, and give what has 1 \
             now a number of its own",
            &moved("b", [2, 1]),
        ],
    );
}

#[test]
fn a_field_that_moved_is_told_once_with_what_else_of_it_differs() {
    let moved = moved("a", [1, 8]);
    check("1 a required string", "8 a required string", &[&moved]);
    check(
        "1 a string",
        "8 a int32",
        &[
            "major: field 1 `a` is `int32` instead of `string` (breaks wire, json, code): keep 1 as \
             it was, and add a field with a number of its own",
            &moved,
        ],
    );
}

#[test]
fn a_name_that_neither_side_has_elsewhere_is_another_name_of_the_field() {
    check(
        "1 a string",
        "1 b string, 2 c string",
        &[
            "major: field 1 `a` is called `b` (breaks json, code): bytes stay as they are; JSON and \
             code name it: keep the name, or accept",
            "minor: field 2 `c` is new: end each literal that names every field in \
             `..Default::default()`",
        ],
    );
}

const KEEP_NAME: &str = "bytes and JSON stay as they are; code names it: keep the name, or accept";

#[test]
fn what_only_code_names_breaks_only_code() {
    check(
        "1 a_b string",
        "1 c string json aB",
        &[&format!(
            "major: field 1 `a_b` is called `c` (breaks code): {KEEP_NAME}"
        )],
    );
    let renamed = |number: u32, name: &str| {
        format!(
            "major: field {number} `{name}` is in `h`, as the oneof `g` is called now (breaks code): \
             {KEEP_NAME}"
        )
    };
    check(
        "1 a string oneof g, 2 b string oneof g",
        "1 a string oneof h, 2 b string oneof h",
        &[&renamed(1, "a"), &renamed(2, "b")],
    );
    let grouping = "readers and writers disagree on what excludes what: keep the grouping";
    let split = format!(
        "major: field 2 `b` is in the oneof `h` instead of `g` (breaks wire, code): {grouping}"
    );
    check(
        "1 a string oneof g, 2 b string oneof g",
        "1 a string oneof g, 2 b string oneof h",
        &[&split],
    );
}

#[test]
fn a_value_that_gets_into_a_oneof_is_told_so_once() {
    let into = "major: field 1 `a` is in the oneof `g` (breaks wire, code): readers and writers \
                disagree on what excludes what: keep the grouping";
    check("1 a optional int32", "1 a int32 oneof g", &[into]);
    check(
        "1 a required int32",
        "1 a int32 oneof g",
        &[
            "major: field 1 `a` is a plain value instead of required (breaks wire, json, code): \
             readers that were built before refuse a message without it: deploy every reader before \
             anyone leaves it out",
            into,
        ],
    );
}

#[test]
fn bytes_are_no_text_to_who_reads_text() {
    let keep = "keep 1 as it was, and add a field with a number of its own";
    for (old, new) in [("bytes", "string"), ("string", "bytes")] {
        let told = format!(
            "major: field 1 `a` is `{new}` instead of `{old}` (breaks wire, json, code): {keep}"
        );
        check(&format!("1 a {old}"), &format!("1 a {new}"), &[&told]);
    }
}

#[test]
fn a_type_under_another_name_that_says_the_same_breaks_only_code() {
    let of = |name: &str, field: &str| {
        lock(&format!(
            "lock 1\nmessage m\n  1 a message {name}\n  2 k enum {name}Kind\nmessage {name}\n  {field}\n  \
             2 again message {name}\nenum {name}Kind\n  0 ZERO\n"
        ))
    };
    let told = |new: &str| -> Vec<_> {
        let report = compare(
            &of("p.One", "1 x string"),
            &of("p.Two", new),
            &Places::default(),
        );
        let major = report
            .changes
            .iter()
            .filter(|it| it.verdict == Verdict::Major);
        let told = major.map(|it| {
            (
                it.what.clone(),
                it.breaks.iter().map(|it| it.as_str()).collect(),
            )
        });
        told.collect::<Vec<(String, Vec<_>)>>()
    };
    let change = |what: &str, breaks: &[&'static str]| (what.to_owned(), breaks.to_vec());
    let gone = [
        change("enum `p.OneKind` is gone", &["code"]),
        change("message `p.One` is gone", &["code"]),
    ];
    let kind = change(
        "`m`: field 2 `k` is `p.TwoKind` instead of `p.OneKind`",
        &["code"],
    );
    let field = "`m`: field 1 `a` is `p.Two` instead of `p.One`";
    for (new, breaks) in [
        ("1 x string", &["code"][..]),
        ("1 y string json x", &["code"]),
        ("1 x int32", &["wire", "json", "code"]),
        ("3 x string", &["wire", "json", "code"]),
    ] {
        let expected = [change(field, breaks), kind.clone()];
        assert_eq!(told(new), [&expected[..], &gone[..]].concat(), "{new}");
    }
    // Of a message that nothing holds only this is told.
    let alone = lock("lock 1\nmessage p.One\n  1 x string\n");
    let report = compare(&alone, &lock("lock 1\n"), &Places::default());
    assert_eq!(
        report.changes[0].to_string().matches("json, code").count(),
        1
    );
}

#[test]
fn each_change_has_the_place_of_its_own_field() {
    let old = lock("lock 1\nmessage m\n  1 a optional string\n  3 c string\n");
    let new = lock("lock 1\nmessage m\n  1 b string\n  2 a required string\n  reserved 9 9\n");
    let places = ["m", "m.a", "m.b"].map(|it| (it.to_owned(), format!("at {it}")));
    let report = compare(&old, &new, &Places(places.into()));
    let told = report.changes.iter();
    let told: Vec<_> = told
        .map(|it| (it.what.as_str(), it.place.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "`m`: field 1 `a` is required instead of optional",
                Some("at m.a")
            ),
            (
                "`m`: field 1 `b` is new, with the number that `a` had",
                Some("at m.b")
            ),
            ("`m`: field 3 `c` is gone", Some("at m")),
            ("`m`: field `a` has number 2 instead of 1", Some("at m.a")),
            ("`m`: numbers 9 to 9 are reserved", Some("at m")),
        ]
    );
}

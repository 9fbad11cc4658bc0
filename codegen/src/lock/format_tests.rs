//! The text of a lock: what is written is what is read, whole, and files of before are read as before.

use std::path::Path;

use super::tests::{SAMPLE, lock};
use super::{Lock, Places, Report, compare};

#[test]
fn a_lock_reads_back_and_writes_the_same_bytes() {
    let read = lock(SAMPLE);
    let text = read.to_text();
    assert_eq!(lock(&text), read);
    assert_eq!(lock(&text).to_text(), text);
    assert!(text.contains("  5 \"odd name\" optional string default \"\" json odd deprecated\n"));
}

#[test]
fn the_order_of_a_hand_edited_lock_does_not_matter() {
    let (head, enums) = SAMPLE.split_once("\nenum shop.Kinds\n").expect("an enum");
    let (enums, routes) = enums.split_once("\nevents\n").expect("events");
    let turned = format!(
        "lock 1\nenum shop.Kinds\n{enums}{}\nevents\n{routes}",
        head.trim_start_matches("lock 1")
    );
    assert_eq!(lock(&turned).to_text(), lock(SAMPLE).to_text());
}

#[test]
fn a_lock_that_is_none_is_refused_with_its_line() {
    let fault = |text: &str| {
        let error = Lock::parse(Path::new("bridge.lock"), text).expect_err("no lock");
        error.to_string()
    };
    let again = "take the file of the last commit; or remove it and run `cargo bridge accept`";
    for (text, expected) in [
        ("", format!("bridge.lock: does not say `lock 2`: {again}")),
        (
            "lock 0\n",
            format!("bridge.lock:1:1: is not of the format `lock 2`: {again}"),
        ),
        (
            "lock 3\n",
            "bridge.lock:1:1: is of a later format than `lock 2`: update `cargo-bridge` and \
             `bridge-codegen`"
                .to_owned(),
        ),
        (
            "lock 2\nmessage a\n  1 a string\n",
            format!("bridge.lock: does not end in `end`, so it was cut: {again}"),
        ),
        (
            "lock 2\nend\nmessage a\n",
            format!("bridge.lock:3:1: goes on behind `end`: {again}"),
        ),
        (
            "lock 1\nend\n",
            format!("bridge.lock:2:1: `end` is not known here: {again}"),
        ),
        (
            "lock 2\nenum a\n  reserved 12 9\n",
            format!("bridge.lock:3:1: `reserved 12 9` is not known here: {again}"),
        ),
        (
            "lock 2\nenum a\n  1 A other\n",
            format!("bridge.lock:3:1: `1 A other` is not known here: {again}"),
        ),
        (
            "lock 1\n<<<<<<< HEAD\n",
            format!("bridge.lock:2:1: has the conflict of a merge: {again}"),
        ),
        (
            "lock 1\nthing a\n",
            format!("bridge.lock:2:1: `thing a` is not known here: {again}"),
        ),
        (
            "lock 1\n  1 a string\n",
            format!("bridge.lock:2:1: an entry belongs to nothing: {again}"),
        ),
        (
            "lock 1\nmessage a\n  1 a string\n  1 b string\n",
            format!("bridge.lock:4:1: field number 1 is there twice: {again}"),
        ),
        (
            "lock 1\nmessage a\n  1 a\n",
            format!("bridge.lock:3:1: the line ends too early: {again}"),
        ),
        (
            "lock 1\nmessage a\nmessage a\n",
            format!("bridge.lock:3:1: `message a` is there twice: {again}"),
        ),
        (
            "lock 1\nmessage a\n  reserved 12 9\n",
            format!("bridge.lock:3:1: `reserved 12 9` is not known here: {again}"),
        ),
        (
            "lock 1\nmessage \"a\n",
            format!("bridge.lock:2:1: a quoted word does not end: {again}"),
        ),
    ] {
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn a_lock_that_was_cut_anywhere_is_refused() {
    let present = Lock {
        is_first_format: false,
        ..lock(SAMPLE)
    };
    let whole = present.to_text();
    let end = whole.trim_end().len();
    assert_eq!(lock(&whole[..end]), present);
    for at in 0..end {
        let cut = Lock::parse(Path::new("bridge.lock"), &whole[..at]);
        assert!(cut.is_err(), "{}", &whole[..at]);
    }
}

#[test]
fn a_file_of_the_first_format_is_read_and_written_as_it_was() {
    let text = lock(SAMPLE).to_text();
    assert!(text.contains("\nlock 1\n"), "{text}");
    let (_, body) = text.split_once("lock 1\n").expect("a head");
    let (_, sample) = SAMPLE.split_once("lock 1\n").expect("a head");
    let lines = |text: &str| text.lines().count();
    assert_eq!(lines(body), lines(sample));
    // What is new in a lock is said by a file of the second format alone.
    let now = "\nenum shop.Kinds\n  0 KINDS_UNSPECIFIED\n  1 KINDS_ONCE\n  reserved 7 9\n";
    let before = now.replace("  reserved 7 9\n", "");
    let now = lock(&format!("lock 2{now}end\n"));
    let [first, second] = ["lock 1", "lock 2"].map(|head| {
        let end = if head == "lock 1" { "" } else { "end\n" };
        lock(&format!("{head}{before}{end}"))
    });
    assert_eq!(compare(&first, &now, &Places::default()), Report::default());
    let report = compare(&second, &now, &Places::default());
    assert_eq!(
        report.changes[0].what,
        "`shop.Kinds`: numbers 7 to 9 are reserved"
    );
}

#[test]
fn a_byte_order_mark_and_ends_of_lines_of_another_system_are_read() {
    let odd = format!("\u{feff}{}", SAMPLE.replace('\n', "\r\n"));
    assert_eq!(lock(&odd), lock(SAMPLE));
}

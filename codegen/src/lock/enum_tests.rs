//! Constants: their numbers travel, their first names are what JSON is written with.

use super::tests::{SAMPLE, check, lock, only, report};
use super::{Breaks, Places, Report, Verdict, compare};

#[test]
fn enums_keep_names_and_numbers() {
    check(
        "  1 KINDS_ONCE\n",
        "  1 KINDS_ONCE\n  2 KINDS_TWICE\n",
        "minor: `shop.Kinds`: 2 `KINDS_TWICE` is new: give each `match` that lists every value an \
         arm for it, or a `_`",
    );
    assert_eq!(only("  1 KINDS_ONCE\n", "").verdict, Verdict::Major);
    assert_eq!(
        only("  1 KINDS_ONCE", "  2 KINDS_ONCE").breaks,
        [Breaks::Wire, Breaks::Code].into()
    );
    let renamed = report("  1 KINDS_ONCE", "  1 KINDS_FIRST");
    assert!(
        renamed.changes[0]
            .what
            .ends_with("1 is not called `KINDS_ONCE` any more")
    );
    check(
        "  1 KINDS_ONCE\n",
        "  1 KINDS_ONCE\n  1 KINDS_FIRST\n",
        "minor: `shop.Kinds`: 1 `KINDS_FIRST` is new: give each `match` that lists every value an \
         arm for it, or a `_`",
    );
}

#[test]
fn the_first_constant_of_a_closed_enum_is_what_absent_means() {
    let sample = SAMPLE.replace(
        "\nenum shop.Kinds\n",
        "\nenum shop.Kinds\n  default KINDS_ONCE\n",
    );
    let turned = sample.replace("default KINDS_ONCE", "default KINDS_UNSPECIFIED");
    let report = compare(&lock(&sample), &lock(&turned), &Places::default());
    assert_eq!(report.changes.len(), 1);
    assert_eq!(
        report.changes[0].to_string(),
        "major: `shop.Kinds`: absent means `KINDS_UNSPECIFIED` instead of `KINDS_ONCE` (breaks wire, \
         json): keep the constant that was first the first: the order is the default of proto2"
    );
    assert_eq!(
        lock(&sample)
            .to_text()
            .matches("  default KINDS_ONCE\n")
            .count(),
        1
    );
    // A lock that was written before it was looked at says nothing.
    let older = compare(&lock(SAMPLE), &lock(&sample), &Places::default());
    assert_eq!(older, Report::default());
}

/// The differences of an enum with the entries, as lines for people, worst first.
#[track_caller]
fn differ(old: &str, new: &str, expected: &[&str]) {
    let [old, new] = [old, new].map(|entries| {
        let entries: Vec<_> = entries.split(", ").collect();
        lock(&format!(
            "lock 2\nenum e\n  0 Z\n  {}\nend\n",
            entries.join("\n  ")
        ))
    });
    assert_eq!(lock(&old.to_text()), old);
    let report = compare(&old, &new, &Places::default());
    let lines = report
        .changes
        .iter()
        .map(|it| it.to_string().replace("`e`: ", ""));
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

#[test]
fn a_name_in_front_of_the_one_that_json_had_breaks_readers_of_json() {
    const TURNED: &str = "major: JSON has `NEW` for 1 instead of `OLD` (breaks json): declare `NEW` \
                          behind `OLD`: readers of today may not know it";
    const ADDED: &str = "minor: 1 `NEW` is new: give each `match` that lists every value an arm for \
                         it, or a `_`";
    differ("1 OLD", "1 NEW, 1 OLD alias", &[TURNED, ADDED]);
    differ("1 OLD", "1 OLD, 1 NEW alias", &[ADDED]);
    differ("1 OLD, 1 NEW alias", "1 NEW, 1 OLD alias", &[TURNED]);
    differ("1 OLD, 1 NEW alias", "1 OLD, 1 NEW alias", &[]);
    // A lock of before does not say which name was first.
    let before = lock("lock 1\nenum e\n  0 Z\n  1 NEW\n  1 OLD\n");
    let now = lock("lock 2\nenum e\n  0 Z\n  1 OLD\n  1 NEW alias\nend\n");
    assert_eq!(
        compare(&before, &now, &Places::default()),
        Report::default()
    );
    let before = lock("lock 1\nenum e\n  0 Z\n  1 NEW\n");
    let told = compare(&before, &now, &Places::default());
    assert!(
        told.changes[0]
            .what
            .starts_with("`e`: JSON has `OLD` for 1 instead of `NEW`")
    );
}

#[test]
fn numbers_and_names_that_an_enum_reserves_may_not_come_back() {
    const TAKEN: &str = "though its number or name was reserved (breaks wire, json): take a number \
                         and a name that were never used";
    differ(
        "reserved 3 3",
        "3 N",
        &[&format!("major: 3 `N` is new, {TAKEN}")],
    );
    differ(
        "reserved N",
        "3 N",
        &[&format!("major: 3 `N` is new, {TAKEN}")],
    );
    differ(
        "reserved -5 3, reserved N",
        "1 A, reserved B",
        &[
            &format!("major: 1 `A` is new, {TAKEN}"),
            "minor: name `N` is not reserved any more: keep it reserved",
            "patch: name `B` is reserved",
        ],
    );
}

#[test]
fn what_a_contract_says_of_an_enum_is_in_its_lock() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = "syntax = \"proto3\";\npackage p;\nenum E {\n  option allow_alias = true;\n  \
                reserved 3, 7 to 9;\n  reserved \"GONE\";\n  E_ZERO = 0;\n  E_OLD = 1;\n  \
                E_NEW = 1;\n  E_ALSO = 1;\n}\n";
    std::fs::write(folder.path().join("p.proto"), text).expect("a writable folder");
    let loaded = crate::contracts(folder.path()).read().expect("a contract");
    let (lock, _) = loaded.lock();
    let expected = "\nenum p.E\n  0 E_ZERO\n  1 E_OLD\n  1 E_ALSO alias\n  1 E_NEW alias\n  \
                    reserved 3 3\n  reserved 7 9\n  reserved GONE\n\nend\n";
    assert!(lock.to_text().ends_with(expected), "{}", lock.to_text());
}

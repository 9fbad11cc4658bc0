//! Every rule against a sample that breaks it and one that does not.
//! Refuses the disk: samples are made here. Invariant: one test per rule and per exemption.

use super::check;
use super::source::{File, lines};

fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

/// The rules a single file breaks.
fn rules(path: &str, text: &str) -> Vec<&'static str> {
    check(&[file(path, text)])
        .into_iter()
        .map(|violation| violation.rule)
        .collect()
}

#[test]
fn a_file_without_a_header_is_reported() {
    assert_eq!(rules("bridge/src/app.rs", "fn a() {}\n"), ["header"]);
    assert!(rules("bridge/src/app.rs", "//! App.\nfn a() {}\n").is_empty());
}

#[test]
fn a_room_whose_name_says_nothing_is_reported() {
    assert_eq!(rules("bridge/src/utils.rs", "//! A.\n"), ["room name"]);
    assert_eq!(rules("bridge/src/core/a.rs", "//! A.\n"), ["room name"]);
    assert!(rules("bridge/src/score.rs", "//! A.\n").is_empty());
}

#[test]
fn a_violation_names_file_line_rule_and_advice() {
    let found = check(&[file(
        "bridge/src/app.rs",
        "//! App.\nlet now = Instant::now();\n",
    )]);
    let text = found[0].to_string();
    assert!(
        text.starts_with("bridge/src/app.rs:2: time: `Instant::now`"),
        "{text}"
    );
}

#[test]
fn time_is_read_by_the_clock_alone() {
    let text = "//! A.\nuse tokio::time::sleep;\n";
    assert_eq!(rules("runtime/src/lease.rs", text), ["time"]);
    assert!(rules("contract/src/clock.rs", text).is_empty());
    assert!(rules("tests/src/recovery.rs", text).is_empty());
    let unit = "//! A.\n#[cfg(test)]\nmod tests { fn t() { SystemTime::now(); } }\n";
    assert!(rules("runtime/src/lease.rs", unit).is_empty());
}

#[test]
fn a_word_in_a_comment_or_a_text_is_no_use() {
    let text =
        "//! A.\n// Instant::now is for the clock\nlet a = \"sqlx::query\";\n/* todo!() */\n";
    assert!(rules("runtime/src/server.rs", text).is_empty());
}

#[test]
fn storage_stays_in_its_room() {
    let text = "//! A.\nuse sqlx::Row;\n";
    assert_eq!(rules("runtime/src/events/engine.rs", text), ["storage"]);
    assert!(rules("runtime/src/events/store.rs", text).is_empty());
    assert!(rules("runtime/src/db/conn.rs", text).is_empty());
}

#[test]
fn wire_types_stop_at_the_api() {
    let text = "//! A.\nuse contract::grpc::v1::Ack;\n";
    assert_eq!(rules("runtime/src/events/model.rs", text), ["wire"]);
    assert!(rules("runtime/src/events/api.rs", text).is_empty());
}

#[test]
fn statements_in_rust_texts_are_reported() {
    for statement in [
        "SELECT id FROM events",
        "INSERT INTO events VALUES (1)",
        "UPDATE events SET name = $1",
        "DELETE FROM events",
        "UPDATE events\n    SET name = $1",
    ] {
        let text = format!("//! A.\nconst Q: &str = \"{statement}\";\n");
        assert_eq!(
            rules("runtime/src/events/store.rs", &text),
            ["statement"],
            "{statement}"
        );
        assert!(rules("runtime/src/events/tests.rs", &text).is_empty());
    }
    let prose =
        "//! A.\nlet a = \"update the setting\"; let b = \"UPDATE \"; let c = \"set it\";\n";
    assert!(rules("runtime/src/events/store.rs", prose).is_empty());
}

#[test]
fn unfinished_work_is_reported_everywhere() {
    assert_eq!(
        rules(
            "tests/src/a.rs",
            "//! A.\n#[ignore = \"slow\"]\nfn a() {}\n"
        ),
        ["unfinished"]
    );
    assert_eq!(
        rules("bridge/src/a.rs", "//! A.\nfn a() { todo!() }\n"),
        ["unfinished"]
    );
}

#[test]
fn a_path_of_one_machine_is_reported_in_any_file() {
    let machine = format!("see /{}/notes.md\n", "work");
    assert_eq!(rules("README.md", &machine), ["machine path"]);
    assert!(rules("README.md", "see docs/work/notes.md\n").is_empty());
    assert!(rules("README.md", "http://127.0.0.1/root/\n").is_empty());
}

#[test]
fn a_long_file_is_reported_without_counting_its_tests() {
    let long = format!("//! A.\n{}", "fn a() {}\n".repeat(500));
    assert_eq!(rules("bridge/src/a.rs", &long), ["file length"]);
    assert!(rules("bridge/tests/a.rs", &long).is_empty());
    let tests = format!(
        "//! A.\n#[cfg(test)]\nmod tests {{\n{}}}\n",
        "fn a() {}\n".repeat(500)
    );
    assert!(rules("bridge/src/a.rs", &tests).is_empty());
}

#[test]
fn a_migration_without_its_twin_is_reported() {
    let sqlite = file("runtime/migrations/sqlite/0001_events.sql", "");
    let postgres = file("runtime/migrations/postgres/0001_events.sql", "");
    let found = check(std::slice::from_ref(&sqlite));
    assert_eq!(
        found[0].advice,
        "write runtime/migrations/postgres/0001_events.sql too"
    );
    assert!(check(&[sqlite, postgres]).is_empty());
}

#[test]
fn a_file_uses_only_rooms_declared_above_its_own() {
    let list = file(
        "bridge/src/lib.rs",
        "//! A.\nmod error;\npub mod rpc;\npub(crate) mod app;\n",
    );
    let uses = |path: &str, text: &str| {
        let text = format!("//! A.\n{text}\n");
        check(&[list.clone(), file(path, &text)])
            .into_iter()
            .map(|violation| (violation.line, violation.rule))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        uses("bridge/src/error.rs", "use crate::rpc::Call;"),
        [(2, "order")]
    );
    assert_eq!(
        uses(
            "bridge/src/rpc/client.rs",
            "use crate::{\n    error::E,\n    app,\n};"
        ),
        [(4, "order")]
    );
    assert_eq!(
        uses("bridge/src/rpc.rs", "fn a() { crate::app::start() }"),
        [(2, "order")]
    );
    assert!(
        uses(
            "bridge/src/rpc.rs",
            "use crate::{error::{E, app}, rpc::x, Other};"
        )
        .is_empty()
    );
    assert!(
        uses(
            "bridge/src/error.rs",
            "macro_rules! m { () => { $crate::app::x } }"
        )
        .is_empty()
    );
    assert!(
        uses(
            "bridge/src/error.rs",
            "#[cfg(test)]\nmod tests { use crate::app; }"
        )
        .is_empty()
    );
}

#[test]
fn literals_and_comments_are_told_apart_from_code() {
    let text = "a(\"x // y\"); // z \"w\"\nb(r#\"one \" two\"#, '\"', 'c', b\"d\\\"e\");\n/* f /* g */\nh */ i<'static>(\"multi\nline\");";
    let found = lines(text);
    let code: Vec<&str> = found.iter().map(|line| line.code.trim()).collect();
    assert_eq!(code[0], "a();");
    assert_eq!(code[1], "b(, '\"', 'c', b);");
    assert_eq!(code[2], "");
    assert_eq!(code[3], "i<'static>(");
    assert_eq!(code[4], ");");
    assert_eq!(found[0].literals, ["x // y"]);
    assert_eq!(found[1].literals, ["one \" two", "d\\\"e"]);
    assert_eq!(found[3].literals, ["multi\nline"]);
}

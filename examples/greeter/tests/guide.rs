//! The guide's pieces are this program's, line by line, and the program does what it says.

use std::path::Path;
use std::process::Command;

/// The blocks of a language in the guide.
fn pieces(language: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bridge/guide/2-contracts.md");
    let guide = std::fs::read_to_string(guide).expect("the guide");
    let begin = format!("```{language}\n");
    let mut pieces = Vec::new();
    for piece in guide.split(&begin).skip(1) {
        let (piece, _) = piece.split_once("```").expect("an end");
        pieces.push(piece.to_owned());
    }
    pieces
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).expect("is there")
}

#[test]
fn every_piece_of_the_guide_is_in_the_program() {
    let files = [
        file("build.rs"),
        file("src/main.rs"),
        file("contracts/greeter.proto"),
    ];
    let (rust, proto) = (pieces("no_run"), pieces("proto"));
    assert_eq!((rust.len(), proto.len()), (2, 1));
    for piece in rust.iter().chain(&proto) {
        assert!(
            files.iter().any(|it| it.contains(piece)),
            "not in the program:\n{piece}"
        );
    }
}

#[test]
fn the_program_greets_and_counts_down() {
    let ran = Command::new(env!("CARGO_BIN_EXE_greeter")).output();
    let ran = ran.expect("runs");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines, ["HELLO, ADA", "3", "2", "1", "0"]);
}

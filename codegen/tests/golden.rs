//! The generated code of a sample, compared byte by byte.
//!
//! Run with `BLESS=1` to accept what is generated now, then read the difference in review.

use std::fs;
use std::path::Path;

const GOLDEN: &str = "tests/golden";

#[test]
fn the_sample_renders_as_committed() {
    let out = tempfile::tempdir().expect("a temporary folder");
    let compiled = bridge_codegen::contracts("tests/contracts/")
        .out_dir(out.path())
        .try_compile()
        .expect("the sample is a valid contract");
    if std::env::var_os("BLESS").is_some() {
        for file in &compiled.generated {
            let name = file.file_name().expect("generated files have names");
            fs::copy(file, Path::new(GOLDEN).join(name)).expect("the golden folder is writable");
        }
    }
    let names = |dir: &Path| {
        let entries = fs::read_dir(dir).expect("a readable folder");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry"))
            // Golden files of another test are in a folder of their own, and the list of what was
            // written is not Rust.
            .filter(|entry| entry.path().extension().is_some_and(|it| it == "rs"))
            .map(|entry| entry.file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names(out.path()),
        names(Path::new(GOLDEN)),
        "run with BLESS=1 to accept"
    );
    for name in names(out.path()) {
        let actual = fs::read_to_string(out.path().join(&name)).expect("generated");
        let golden = fs::read_to_string(Path::new(GOLDEN).join(&name)).expect("committed");
        assert!(
            actual == golden,
            "{} differs; run with BLESS=1 to accept",
            name.display()
        );
    }
}

//! Every code of the macros has a text, its wrong example gives exactly that code, and its right
//! example compiles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Package, repository};

/// Codes as the macros number them.
fn codes() -> BTreeSet<String> {
    let source = repository().join("bridge-macros/src/diag.rs");
    let text = fs::read_to_string(source).expect("the macros' codes");
    let body = text.split_once("enum Code {").expect("the list of codes").1;
    let body = body.split_once('}').expect("the end of the list").0;
    let number = |line: &str| {
        line.split_once(" = ")?
            .1
            .trim_end_matches(',')
            .parse::<u16>()
            .ok()
    };
    body.lines()
        .filter_map(number)
        .map(|it| format!("BR{it:04}"))
        .collect()
}

fn texts() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("explain");
    let entries = fs::read_dir(folder).expect("the explanations");
    let read = |path: &Path| {
        let name = path
            .file_stem()
            .expect("a name")
            .to_str()
            .expect("a text")
            .to_owned();
        (name, fs::read_to_string(path).expect("readable"))
    };
    entries
        .map(|entry| read(&entry.expect("an entry").path()))
        .collect()
}

/// The example below a heading, hidden lines among it.
fn example(text: &str, heading: &str) -> String {
    let below = text
        .split_once(&format!("\n## {heading}\n\n```rust\n"))
        .expect(heading)
        .1;
    let code = below.split_once("\n```").expect("the end of the example").0;
    let shown = |line: &str| {
        line.strip_prefix("# ")
            .unwrap_or(line.trim_end_matches('#'))
            .to_owned()
    };
    let lines: Vec<_> = code
        .lines()
        .map(|line| {
            if line.starts_with("#[") {
                line.to_owned()
            } else {
                shown(line)
            }
        })
        .collect();
    lines.join("\n")
}

/// Codes that are about a `bridge` without its default features.
const WITHOUT_MESH: [&str; 1] = ["BR0024"];

/// A package with one module for each code.
fn package(heading: &str) -> Package {
    package_of(
        &format!("explain-{}", heading.to_lowercase()),
        "",
        |code, text| {
            let is_here = heading == "Right" || !WITHOUT_MESH.contains(&code);
            is_here.then(|| example(text, heading))
        },
    )
}

fn package_of(
    name: &str,
    features: &str,
    example: impl Fn(&str, &str) -> Option<String>,
) -> Package {
    let root = repository()
        .canonicalize()
        .expect("the repository is there");
    let root = root.display();
    let shop =
        fs::read_to_string(repository().join("bridge/tests/ui/shop.rs")).expect("the sample");
    let shop = shop.replace("//!", "//");
    let package = Package::built(
        name,
        &[
            (
                "Cargo.toml",
                &format!(
                    "[package]\nname = \"{name}\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
                 bridge = {{ path = \"{root}/bridge\"{features} }}\naxum = {{ version = \"0.8\", \
                 default-features = false, features = [\"json\", \"query\", \"tokio\"] }}\nserde = {{ version \
                 = \"1\", features = [\"derive\"] }}\nfutures-core = \"0.3\"\ntokio-stream = \
                 \"0.1\"\n"
                ),
            ),
            (
                "src/shop.rs",
                &format!(
                    "{shop}\npub fn reply(req: ChargeRequest) -> ChargeReply {{\n    let _ = req;\n    \
                 ChargeReply::default()\n}}\n"
                ),
            ),
        ],
    );
    let mut list = String::from("#![allow(dead_code, unused_imports, unreachable_pub)]\n");
    if features.is_empty() {
        list.push_str("mod shop;\n");
    }
    for (code, text) in texts() {
        let Some(example) = example(&code, &text) else {
            continue;
        };
        let module = code.to_lowercase();
        list.push_str(&format!("mod {module};\n"));
        package.put(&format!("src/{module}.rs"), &example);
    }
    package.put("src/lib.rs", &list);
    package
}

/// What the compiler says about each file.
fn errors(package: &Package) -> BTreeMap<String, Vec<String>> {
    let checked = package.cargo_check(&["--message-format=json"]);
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for line in checked.out.lines() {
        let message: Value = serde_json::from_str(line).expect("cargo writes json");
        let said = &message["message"];
        if said["level"] != "error" {
            continue;
        }
        let spans = said["spans"].as_array().into_iter().flatten();
        let primary = spans.filter(|span| span["is_primary"] == true);
        for span in primary {
            let file = span["file_name"].as_str().expect("a file").to_owned();
            let text = said["message"].as_str().expect("a text").to_owned();
            found.entry(file).or_default().push(text);
        }
    }
    assert!(
        !found.is_empty() || checked.code == 0,
        "cargo failed without a message:\n{}",
        checked.err
    );
    found
}

#[test]
fn every_code_has_a_text_and_every_text_a_code() {
    let texts: BTreeSet<_> = texts().into_keys().collect();
    assert_eq!(texts, codes());
}

#[test]
fn texts_have_one_form() {
    for (code, text) in texts() {
        assert!(text.starts_with(&format!("# {code}: ")), "{code}");
        assert!(
            text.is_ascii(),
            "{code} has text that a plain terminal cannot show"
        );
        assert!(!example(&text, "Wrong").is_empty() && !example(&text, "Right").is_empty());
    }
}

#[test]
fn wrong_examples_give_their_code_and_no_other() {
    let mut found = errors(&package("Wrong"));
    let without = ", default-features = false";
    found.extend(errors(&package_of(
        "explain-without-mesh",
        without,
        |code, text| WITHOUT_MESH.contains(&code).then(|| example(text, "Wrong")),
    )));
    let mut unexpected = Vec::new();
    for code in texts().into_keys() {
        let file = format!("src/{}.rs", code.to_lowercase());
        let said = found.remove(&file).unwrap_or_default();
        // The compiler may have something to say of the same mistake, after ours.
        let mut ours = said.iter().filter(|text| text.starts_with("BR")).peekable();
        if ours.peek().is_none() || ours.any(|text| !text.starts_with(&code)) {
            unexpected.push((code, said));
        }
    }
    assert!(
        unexpected.is_empty() && found.is_empty(),
        "{unexpected:#?}\n{found:#?}"
    );
}

#[test]
fn right_examples_compile() {
    let errors = errors(&package("Right"));
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_code_is_explained_without_the_lines_that_only_compile_it() {
    let package = Package::with(&[]);
    let said = package.bridge("explain BR0012");
    assert_eq!(said.code, 0);
    assert!(
        said.out.starts_with("# BR0012: a handler is a method\n"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("impl Payments {\n    #[bridge::rpc]\n"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("crate::shop"), "{}", said.out);
    assert_eq!(package.bridge("explain br12").out, said.out);
}

#[test]
fn an_unknown_code_is_answered_with_the_nearest() {
    let said = Package::with(&[]).bridge("explain BR0043");
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .starts_with("error: `BR0043` is no code; the nearest are\n  BR0041  "),
        "{}",
        said.err
    );
}

#[test]
fn all_codes_are_listed_for_people_and_machines() {
    let package = Package::with(&[]);
    let table = package.bridge("explain");
    assert!(
        table.out.starts_with(" CODE    MEANING\n BR0001  "),
        "{}",
        table.out
    );
    let said = package.bridge("explain -o json");
    let all: Value = serde_json::from_str(&said.out).expect("json");
    assert_eq!(all.as_array().map(Vec::len), Some(codes().len()));
    assert_eq!(all[0]["code"], "BR0001");
}

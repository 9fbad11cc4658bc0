//! `cargo bridge explain`: what a code means, why, and the way out.
//!
//! The texts are files of this package, one for each code, put into the binary by the build script.
//! An unknown code is answered with the nearest ones.

use std::process::ExitCode;

use serde::Serialize;

use crate::args::Output;
use crate::failure::Failure;
use crate::screen;

/// Codes that are named when one is unknown.
const NEAREST_MAX: usize = 3;

include!(concat!(env!("OUT_DIR"), "/explanations.rs"));

/// One explanation, as JSON has it.
#[derive(Debug, Serialize)]
struct Shown<'t> {
    code: &'t str,
    title: &'t str,
    text: String,
}

pub(crate) fn run(output: Output, code: Option<&str>) -> Result<ExitCode, Failure> {
    match (code, output) {
        (None, Output::Table) => {
            let rows = EXPLANATIONS.iter();
            let rows = rows.map(|(code, text)| [(*code).to_owned(), title(text).to_owned()]);
            screen::say(&screen::table(["CODE", "MEANING"], rows))?;
        }
        (None, Output::Json) => {
            let all: Vec<_> = EXPLANATIONS
                .iter()
                .map(|(code, text)| shown(code, text))
                .collect();
            screen::json(&all)?;
        }
        (Some(code), _) => {
            let code = normal(code);
            let Some((code, text)) = EXPLANATIONS.iter().find(|(known, _)| *known == code) else {
                return Err(Failure::usage(unknown(&code)));
            };
            match output {
                Output::Table => screen::say(&for_people(text))?,
                Output::Json => screen::json(&shown(code, text))?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `br12` and `12` are `BR0012`.
fn normal(code: &str) -> String {
    let upper = code.trim().to_uppercase();
    let digits = upper.strip_prefix("BR").unwrap_or(&upper);
    match digits.parse::<u16>() {
        Ok(number) => format!("BR{number:04}"),
        Err(_) => upper,
    }
}

fn shown<'t>(code: &'t str, text: &'t str) -> Shown<'t> {
    Shown {
        code,
        title: title(text),
        text: for_people(text),
    }
}

/// The first line is `# BR0012: title`.
fn title(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.split_once(": ").map_or(line, |(_, title)| title)
}

/// The text without the lines that only make its examples compile.
fn for_people(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            continue;
        }
        let is_hidden = is_code && (line == "#" || line.starts_with("# "));
        if !is_hidden {
            lines.push(line);
        }
    }
    let indented = lines.join("\n");
    indented.trim_end().to_owned()
}

fn unknown(code: &str) -> String {
    let mut near: Vec<_> = EXPLANATIONS
        .iter()
        .map(|(known, text)| (distance(code, known), *known, title(text)))
        .collect();
    near.sort();
    let near = near.into_iter().take(NEAREST_MAX);
    let near: Vec<_> = near
        .map(|(_, code, title)| format!("\n  {code}  {title}"))
        .collect();
    format!(
        "`{code}` is no code; the nearest are{}\n`cargo bridge explain` lists all",
        near.concat()
    )
}

/// How far two codes are apart: by number where both have one, else by letters that differ.
fn distance(a: &str, b: &str) -> usize {
    let number = |code: &str| {
        code.strip_prefix("BR")
            .and_then(|it| it.parse::<usize>().ok())
    };
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return a.abs_diff(b);
    }
    let differing = a.chars().zip(b.chars()).filter(|(a, b)| a != b).count();
    differing + a.len().abs_diff(b.len())
}

//! Puts the explanations into one list, in the order of their codes.

#![allow(clippy::print_stdout)] // that is how a build script talks to Cargo

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=explain");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where we are"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to write"));
    let text = list(&root.join("explain"));
    fs::write(out.join("explanations.rs"), text).expect("the folder for generated files");
}

fn list(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("the folder of explanations");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    let mut text = String::from("/// Codes with their explanations, in order.\n");
    text.push_str("const EXPLANATIONS: &[(&str, &str)] = &[\n");
    for file in files {
        let code = file.file_stem().expect("a name").to_string_lossy();
        let _ = writeln!(text, "    ({code:?}, include_str!({file:?})),");
    }
    text.push_str("];\n");
    text
}

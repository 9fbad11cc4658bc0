//! Runs the generator over folders of other people's contracts and says what it makes of them.
//!
//! ```text
//! corpus ROOT[,INCLUDE…]… [--out DIR]
//! ```
//!
//! For each root: how many `.proto` files there are, how many are accepted as they are, how many
//! once [`skip_unsupported`](bridge_codegen::Contracts::skip_unsupported) leaves out single rpcs,
//! and every refusal with its file and line. With `--out` the code of what is accepted is kept.
//!
//! Exits with 1 when less than 98 of 100 files are accepted.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use bridge_codegen::{Error, contracts};

/// How many files of a hundred must be accepted.
const ACCEPTED_PERCENT_MIN: usize = 98;
/// How often files that are refused are taken away before giving up on the rest.
const ROUNDS_MAX: usize = 8;

fn main() -> io::Result<ExitCode> {
    let mut roots = Vec::new();
    let mut out = None;
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--out" {
            out = args.next().map(PathBuf::from);
        } else {
            roots.push(arg);
        }
    }
    let mut enough = true;
    for root in &roots {
        let mut folders = root.split(',').map(PathBuf::from);
        let Some(root) = folders.next() else {
            continue;
        };
        let includes: Vec<_> = folders.collect();
        enough &= try_root(&root, &includes, out.as_deref())?;
    }
    let code = if enough { 0 } else { 1 };
    Ok(ExitCode::from(code))
}

/// Says what becomes of one root; whether enough of it is accepted.
fn try_root(root: &Path, includes: &[PathBuf], out: Option<&Path>) -> io::Result<bool> {
    let mut files = Vec::new();
    find(root, &mut files)?;
    let lenient = run(root, includes, &files, out)?;
    let mut stdout = io::stdout().lock();
    for fault in &lenient.faults {
        writeln!(stdout, "refused   {fault}")?;
    }
    for fault in &lenient.left_out {
        writeln!(stdout, "left out  {fault}")?;
    }
    let total = files.len();
    let whole = files.iter().filter(|it| !lenient.is_touched(it));
    let accepted = whole.count();
    let with_option = total - lenient.refused.len();
    let percent = |count: usize| count as f64 * 100.0 / total.max(1) as f64;
    writeln!(
        stdout,
        "{}: {total} files, {accepted} accepted ({:.2} %), {with_option} with skip_unsupported \
         ({:.2} %), {} packages, {} lines",
        root.display(),
        percent(accepted),
        percent(with_option),
        lenient.packages,
        lenient.lines,
    )?;
    Ok(with_option * 100 >= total * ACCEPTED_PERCENT_MIN)
}

/// What a run came to.
#[derive(Default)]
struct Outcome {
    refused: BTreeSet<PathBuf>,
    faults: Vec<String>,
    left_out: Vec<String>,
    packages: usize,
    lines: usize,
}

impl Outcome {
    /// Whether a file is refused, or something of it is left out.
    fn is_touched(&self, file: &Path) -> bool {
        let name = format!("{}:", file.display());
        self.refused.contains(file) || self.left_out.iter().any(|it| it.starts_with(&name))
    }
}

/// Generates from all files, taking away those that are refused until the rest is accepted.
fn run(
    root: &Path,
    includes: &[PathBuf],
    files: &[PathBuf],
    out: Option<&Path>,
) -> io::Result<Outcome> {
    let copy = tempfile::tempdir()?;
    for file in files {
        let target = copy.path().join(file);
        target.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::copy(root.join(file), target)?;
    }
    let generated = tempfile::tempdir()?;
    let out = out.unwrap_or(generated.path());
    let mut outcome = Outcome::default();
    for _ in 0..ROUNDS_MAX {
        let mut contracts = contracts(copy.path()).out_dir(out).skip_unsupported();
        for include in includes {
            contracts = contracts.include(include);
        }
        match contracts.try_compile() {
            Ok(compiled) => {
                outcome.packages = compiled.generated.len().saturating_sub(1);
                for path in &compiled.generated {
                    outcome.lines += fs::read_to_string(path)?.lines().count();
                }
                let shown = |fault: &bridge_codegen::Fault| below(copy.path(), &fault.to_string());
                outcome.left_out = compiled.left_out.iter().map(shown).collect();
                return Ok(outcome);
            }
            Err(error) => take_away(copy.path(), &error, &mut outcome)?,
        }
    }
    outcome.faults.push("gave up on the rest".to_owned());
    outcome.refused.extend(files.iter().cloned());
    Ok(outcome)
}

/// Removes the files that an error is about.
fn take_away(copy: &Path, error: &Error, outcome: &mut Outcome) -> io::Result<()> {
    for fault in error.faults() {
        outcome.faults.push(below(copy, &fault.to_string()));
        let path = Path::new(&fault.file);
        if let Ok(file) = path.strip_prefix(copy)
            && outcome.refused.insert(file.to_path_buf())
        {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn below(folder: &Path, text: &str) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}

/// All `.proto` files of a root, as paths below it.
fn find(root: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut pending = vec![root.to_path_buf()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|it| it == "proto")
                && let Ok(file) = path.strip_prefix(root)
            {
                files.push(file.to_path_buf());
            }
        }
    }
    files.sort();
    Ok(())
}

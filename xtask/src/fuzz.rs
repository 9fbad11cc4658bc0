//! Fuzzing: every target of `fuzz/engine` for ten minutes, from the corpus that is kept.
//!
//! Needs no nightly compiler: libFuzzer comes as C++ source, and the compiler's counters of what was
//! reached are a pass that stable has too.
//!
//! Invariant: the committed corpus is read and not written; what a run adds stays below `target`.

use crate::failure::{Context, Failure, Result};
use crate::shell::{captured, cargo, streamed};
use std::fs;
use std::path::Path;
use std::process::Command;

const TARGETS: [&str; 5] = [
    "proto",
    "schema_json",
    "descriptor_set",
    "proto_json",
    "lock",
];
/// Seconds for each target.
const SECONDS: u32 = 600;
/// What one input may take: memory in MiB, seconds, bytes.
const LIMITS: [&str; 4] = [
    "-rss_limit_mb=1024",
    "-malloc_limit_mb=512",
    "-timeout=10",
    "-max_len=4096",
];
const COUNTERS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// Runs every target; the first finding ends it, with the file that holds the input.
pub(crate) fn soak(root: &Path) -> Result<()> {
    let work = root.join("target/fuzz");
    let host = host(root)?;
    let manifest = root.join("fuzz/engine/Cargo.toml");
    let mut build = cargo(root, &["build", "--release", "--target", &host]);
    build.arg("--manifest-path").arg(manifest);
    // Given a target, the flags stay out of build scripts.
    streamed(
        build
            .env("RUSTFLAGS", COUNTERS)
            .env("CARGO_TARGET_DIR", &work),
    )?;
    for target in TARGETS {
        run(root, &work, &host, target)?;
    }
    Ok(())
}

fn run(root: &Path, work: &Path, host: &str, target: &str) -> Result<()> {
    let [corpus, found, temporary] =
        ["corpus", "found", "tmp"].map(|it| work.join(it).join(target));
    for folder in [&corpus, &found, &temporary] {
        fs::create_dir_all(folder).context(folder.display())?;
    }
    let mut fuzzer = Command::new(work.join(host).join("release").join(target));
    fuzzer
        .arg(&corpus)
        .arg(root.join("fuzz/corpus").join(target))
        .arg(format!(
            "-dict={}",
            root.join("fuzz/dictionaries")
                .join(target)
                .with_extension("dict")
                .display()
        ))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg(format!("-max_total_time={SECONDS}"))
        .args(LIMITS)
        .args(["-print_final_stats=1", "-verbosity=0"])
        .env("TMPDIR", &temporary);
    println!("fuzz {target}: {SECONDS} s");
    let outcome = streamed(&mut fuzzer);
    // A fuzzer ends without tidying up.
    fs::remove_dir_all(&temporary).context(temporary.display())?;
    outcome
}

fn host(root: &Path) -> Result<String> {
    let text = captured(Command::new("rustc").arg("-vV").current_dir(root))?;
    let host = text.lines().find_map(|it| it.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Failure::new("`rustc -vV` names no host"))
}

//! Turns `proto/` into the committed `contract/src/grpc/*.rs`, one file per package.
//! Refuses a `protoc` on the machine: protox compiles the files in process.
//! Invariant: the same files always give the same bytes, so a check is a comparison.

use crate::failure::{Context, Failure, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Every package: its folder under `proto/`, and the generated file, relative to the repository.
const PACKAGES: [(&str, &str); 2] = [
    ("servicebridge/v1", "contract/src/grpc/servicebridge.v1.rs"),
    ("bridge/v1", "contract/src/grpc/bridge.v1.rs"),
];

/// Payloads the data path hands on without looking inside: shared, never copied.
const SHARED_BYTES: [&str; 6] = [
    ".servicebridge.v1.CallRequest.payload",
    ".servicebridge.v1.CallResponse.payload",
    ".servicebridge.v1.InvokeRequest.payload",
    ".servicebridge.v1.InvokeResponse.payload",
    ".servicebridge.v1.StreamChunk.payload",
    ".servicebridge.v1.InvokeChunk.payload",
];

/// What `generate` does with the text it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write the file when its text changed.
    Write,
    /// Fail when the committed file is not what the protos give.
    Check,
}

/// Generates the wire types of `root/proto` into `root/contract`.
pub(crate) fn generate(root: &Path, mode: Mode) -> Result<()> {
    let proto = root.join("proto");
    PACKAGES.iter().try_for_each(|(folder, generated)| {
        let text = render(&proto, folder, generated)?;
        let path = root.join(generated);
        let committed = fs::read_to_string(&path).unwrap_or_default();
        match mode {
            _ if committed == text => Ok(()),
            Mode::Write => fs::write(&path, text).context(*generated),
            Mode::Check => Err(Failure::new(format!(
                "{generated} is not what proto/ gives: run `cargo xtask codegen`"
            ))),
        }
    })
}

fn render(proto: &Path, folder: &str, generated: &str) -> Result<String> {
    let files = proto_files(&proto.join(folder))?;
    let mut compiler = protox::Compiler::new([proto]).context("proto/")?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(files)
        .map_err(|error| Failure::new(format!("proto/: {error:?}")))?;

    let out = tempfile::tempdir().context("temporary folder")?;
    let builder = SHARED_BYTES.iter().fold(
        tonic_prost_build::configure()
            .build_transport(false)
            .build_client(true)
            .build_server(true)
            .out_dir(out.path()),
        |builder, field| builder.bytes(field),
    );
    builder
        .compile_fds(compiler.file_descriptor_set())
        .context("proto/")?;
    let name = generated.rsplit('/').next().unwrap_or(generated);
    let text = fs::read_to_string(out.path().join(name)).context(name)?;
    Ok(format!(
        "// Made from proto/{folder} by `cargo xtask codegen`; do not edit.\n{text}"
    ))
}

/// Every file, in the order of its name: the order decides that of the output.
fn proto_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).context(folder.display())? {
        let path = entry.context(folder.display())?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

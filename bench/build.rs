//! One contract, two generators: ours into `OUT_DIR`, tonic's into `OUT_DIR/tonic`.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    bridge_codegen::contracts("contracts").compile();

    let out = PathBuf::from(env::var("OUT_DIR")?).join("tonic");
    fs::create_dir_all(&out)?;
    let files = protox::compile(["echo.proto", "orders.proto"], ["contracts"])?;
    tonic_prost_build::configure()
        .out_dir(out)
        // The same Rust types as ours, so that the two differ in nothing but their code.
        .bytes(".bench.orders")
        .btree_map(".bench.orders")
        .compile_fds(files)?;
    Ok(())
}

//! Compresses the console's files once, so that the binary carries them as most browsers want them
//! and no request waits for it.
//!
//! Refuses nothing: a file that is no smaller compressed is left to the runtime to see.
//!
//! Invariant: the same files make the same bytes; no time and no name is in them.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    let from = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("assets/console");
    let to = Path::new(&env::var("OUT_DIR")?).join("console");
    fs::create_dir_all(&to)?;
    println!("cargo::rerun-if-changed={}", from.display());
    for entry in fs::read_dir(from)? {
        let file = entry?;
        let Ok(name) = file.file_name().into_string() else {
            continue;
        };
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&fs::read(file.path())?)?;
        fs::write(to.join(name + ".gz"), packed.finish()?)?;
    }
    Ok(())
}

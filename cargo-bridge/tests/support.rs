//! Packages in temporary folders, and what the program says in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with a package.
pub(crate) struct Package {
    root: PathBuf,
    /// Removed at the end, if it is a temporary one.
    _folder: Option<tempfile::TempDir>,
}

/// What a command printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Package {
    /// A package with these files and a Cargo.toml, unless one is given.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let package = Self {
            root: folder.path().to_path_buf(),
            _folder: Some(folder),
        };
        package.put(
            "Cargo.toml",
            "[package]\nname = \"payments\"\nversion = \"1.2.3\"\n",
        );
        for (name, text) in files {
            package.put(name, text);
        }
        package
    }

    /// A package below the target folder, under a name of its own, to be built by Cargo: at one
    /// place always, so that a build is not kept for each run.
    pub(crate) fn built(name: &str, files: &[(&str, &str)]) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        let package = Self {
            root,
            _folder: None,
        };
        let lock = fs::read_to_string(repository().join("Cargo.lock")).expect("the lock");
        package.put("Cargo.lock", &lock);
        for (name, text) in files {
            package.put(name, text);
        }
        package
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// `cargo check WORDS` of this package, with what is built already.
    pub(crate) fn cargo_check(&self, words: &[&str]) -> Said {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .parent()
            .expect("the target folder");
        let output = Command::new(env!("CARGO"))
            .args(["check", "--offline"])
            .args(words)
            .env("CARGO_TARGET_DIR", target)
            .current_dir(self.root())
            .stdin(Stdio::null())
            .output()
            .expect("cargo can be started");
        self.said(output)
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a writable folder");
        fs::write(path, text).expect("a writable folder");
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// `cargo bridge WORDS` in this folder.
    pub(crate) fn bridge(&self, words: &str) -> Said {
        let words: Vec<&str> = words.split_whitespace().collect();
        self.bridge_with(&words, &[])
    }

    pub(crate) fn bridge_with(&self, words: &[&str], environment: &[(&str, &Path)]) -> Said {
        self.bridge_in("", words, environment)
    }

    /// `cargo bridge WORDS` in a folder of the package.
    pub(crate) fn bridge_in(
        &self,
        folder: &str,
        words: &[&str],
        environment: &[(&str, &Path)],
    ) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-bridge"))
            .arg("bridge")
            .args(words)
            .envs(environment.iter().copied())
            .current_dir(self.root().join(folder))
            .stdin(Stdio::null())
            .output()
            .expect("the program can be started");
        self.said(output)
    }

    fn said(&self, output: Output) -> Said {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("a text");
            text.replace(&format!("{}/", self.root().display()), "")
        };
        Said {
            code: output.status.code().expect("an exit code"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

//! A throw-away PostgreSQL: its own folder, its own port, gone when its owner is.
//! Refuses to run the server as root and to listen anywhere but on loopback.
//! Invariant: the server and its folder go away on return, on panic, on Ctrl-C and on SIGTERM.

use crate::failure::{Context, Failure, Result};
use crate::shell::{captured, on_path};
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

/// The account that owns the server when this tool runs as root.
const ACCOUNT: &str = "postgres";
/// Another process may take the port between our look and the server's start.
const START_ATTEMPTS: usize = 3;
/// How long a server may take to answer, seconds.
const START_SECONDS: &str = "60";

/// A running server. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub(crate) struct Postgres {
    url: String,
    cluster: Arc<Mutex<Option<Cluster>>>,
}

impl Postgres {
    /// Makes a new cluster and starts it; installs the server first when root may.
    pub(crate) fn start() -> Result<Self> {
        let programs = Programs::find_or_install()?;
        let cluster = Cluster::create(programs)?;
        let mut last = None;
        for _ in 0..START_ATTEMPTS {
            let port = free_port()?;
            match cluster.start(port) {
                Ok(()) => {
                    let cluster = Arc::new(Mutex::new(Some(cluster)));
                    stop_on_signal(Arc::clone(&cluster))?;
                    let url = format!("postgres://{ACCOUNT}@127.0.0.1:{port}/postgres");
                    return Ok(Self { url, cluster });
                }
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| Failure::new("postgres: no attempt was made")))
    }

    /// Where a superuser without a password connects.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        stop(&self.cluster);
    }
}

/// Stops the cluster once, whoever comes first.
fn stop(cluster: &Mutex<Option<Cluster>>) {
    // A poisoned lock still holds a server that has to go.
    let mut slot = cluster
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    drop(slot.take());
}

/// Without this a signal ends the process before any destructor runs.
fn stop_on_signal(cluster: Arc<Mutex<Option<Cluster>>>) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("signal handler")?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt()).context("SIGINT")?,
            signal(SignalKind::terminate()).context("SIGTERM")?,
        )
    };
    thread::spawn(move || {
        let code = runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
            }
        });
        stop(&cluster);
        std::process::exit(code);
    });
    Ok(())
}

/// One data folder and the programs that serve it.
#[derive(Debug)]
struct Cluster {
    programs: Programs,
    // Removed after `drop` has stopped the server.
    folder: tempfile::TempDir,
}

impl Cluster {
    fn create(programs: Programs) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("bridge-pg-")
            .tempdir()
            .context("temporary folder for postgres")?;
        programs.give(folder.path())?;
        let cluster = Self { programs, folder };
        let data = cluster.data();
        captured(
            cluster
                .programs
                .command("initdb")
                .args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
                .args(["--username", ACCOUNT, "--pgdata"])
                .arg(&data),
        )?;
        Ok(cluster)
    }

    /// Durability is switched off: the data never outlives a test run.
    fn start(&self, port: u16) -> Result<()> {
        let folder = self.folder.path().display();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\n\
             max_connections = 200\nfsync = off\nfull_page_writes = off\n"
        );
        fs::OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"))
            .and_then(|mut file| file.write_all(settings.as_bytes()))
            .context("postgresql.conf")?;
        let log = self.folder.path().join("log");
        // The server keeps the pipe of whoever starts it, so its output goes to a file.
        captured(
            self.programs
                .command("pg_ctl")
                .args([
                    "start",
                    "--silent",
                    "--wait",
                    "--timeout",
                    START_SECONDS,
                    "--pgdata",
                ])
                .arg(self.data())
                .arg("--log")
                .arg(&log),
        )
        .map(drop)
        .map_err(|failure| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            Failure::new(format!("{failure}\n{log}"))
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.data().join("postmaster.pid").exists() {
            return;
        }
        let stopped = captured(
            self.programs
                .command("pg_ctl")
                .args([
                    "stop",
                    "--silent",
                    "--wait",
                    "--mode",
                    "immediate",
                    "--pgdata",
                ])
                .arg(self.data()),
        );
        if let Err(failure) = stopped {
            eprintln!("postgres did not stop: {failure}");
        }
    }
}

/// Where the server's programs are, and whether they must run as another user.
#[derive(Clone, Debug)]
struct Programs {
    folder: PathBuf,
    root: bool,
}

impl Programs {
    fn find_or_install() -> Result<Self> {
        let root = captured(Command::new("id").arg("-u"))?.trim() == "0";
        let folder = match Self::find() {
            Some(folder) => folder,
            None if root => {
                install()?;
                Self::find().ok_or_else(|| {
                    Failure::new("postgresql was installed, but initdb is not to be found")
                })?
            }
            None => {
                return Err(Failure::new(
                    "no PostgreSQL server here: install initdb, postgres and pg_ctl \
                     (Debian: apt-get install postgresql) or run this as root",
                ));
            }
        };
        if root {
            ensure_account()?;
        }
        Ok(Self { folder, root })
    }

    /// On PATH, else the newest of Debian's versioned folders.
    fn find() -> Option<PathBuf> {
        let complete = |folder: &Path| {
            ["initdb", "postgres", "pg_ctl"]
                .iter()
                .all(|name| folder.join(name).is_file())
        };
        let on_path = on_path("initdb").and_then(|program| program.parent().map(Path::to_owned));
        if let Some(folder) = on_path.filter(|folder| complete(folder)) {
            return Some(folder);
        }
        let mut folders: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
            .ok()?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let version = entry.file_name().to_str()?.parse().ok()?;
                Some((version, entry.path().join("bin")))
            })
            .filter(|(_, folder)| complete(folder))
            .collect();
        folders.sort();
        folders.pop().map(|(_, folder)| folder)
    }

    /// One of the server's programs, never as root.
    fn command(&self, name: &str) -> Command {
        let program = self.folder.join(name);
        let mut command = if !self.root {
            Command::new(program)
        } else if on_path("setpriv").is_some() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups"]);
            command.arg("--").arg(program);
            command
        } else {
            let mut command = Command::new("runuser");
            command.args(["-u", ACCOUNT, "--"]).arg(program);
            command
        };
        // The caller's folder may be closed to the other account.
        command.current_dir("/");
        command
    }

    fn give(&self, folder: &Path) -> Result<()> {
        if !self.root {
            return Ok(());
        }
        let owner = format!("{ACCOUNT}:{ACCOUNT}");
        captured(Command::new("chown").arg(owner).arg(folder)).map(drop)
    }
}

fn ensure_account() -> Result<()> {
    if captured(Command::new("id").args(["-u", ACCOUNT])).is_ok() {
        return Ok(());
    }
    captured(
        Command::new("useradd")
            .args(["--system", "--user-group", "--no-create-home"])
            .args(["--shell", "/usr/sbin/nologin", ACCOUNT]),
    )
    .map(drop)
}

fn install() -> Result<()> {
    eprintln!("no PostgreSQL server here: installing Debian's");
    // Debian would otherwise create and start a cluster of its own.
    let folder = Path::new("/etc/postgresql-common");
    let settings = folder.join("createcluster.conf");
    if !settings.exists() {
        fs::create_dir_all(folder).context(folder.display())?;
        fs::write(&settings, "create_main_cluster = false\n").context(settings.display())?;
    }
    captured(Command::new("apt-get").args(["-q", "update"]))?;
    captured(
        Command::new("apt-get")
            .args([
                "-q",
                "install",
                "-y",
                "--no-install-recommends",
                "postgresql",
            ])
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
    .map(drop)
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("a free loopback port")?;
    Ok(listener
        .local_addr()
        .context("a free loopback port")?
        .port())
}

//! `bridge health`: asks `/readyz` of a runtime on this machine, for whoever checks by exit code.
//!
//! It asks where it is told to; otherwise where the runtime of the data folder noted that it is, so
//! that a port of the settings is found; otherwise on the standard port.

use std::process::ExitCode;
use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;

use super::screen::answer;
use super::{AnyError, Output};
use crate::config::Config;
use crate::server::doors;

/// Where a runtime answers when nobody says otherwise and its data folder cannot be read.
const ADDRESS: &str = "127.0.0.1:14446";
/// Longest time to wait for an answer: longer than the runtime itself waits for its store.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// No runtime answers there.
#[derive(Debug, thiserror::Error)]
#[error(
    "no runtime answers at {address}; start one, or name its data folder with --data or its address with --export-listen"
)]
pub(super) struct NobodyAnswers {
    address: String,
    #[source]
    source: AnyError,
}

#[derive(Serialize)]
struct Health {
    ready: bool,
    says: String,
}

pub(super) async fn run(config: Config, output: Output) -> Result<ExitCode, AnyError> {
    let address = address(&config);
    let asked = config.clock.timeout(PATIENCE, ask(&address)).await;
    let asked = match asked {
        Ok(asked) => asked,
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs()).into()),
    };
    let (ready, says) = asked.map_err(|source| NobodyAnswers { address, source })?;
    answer(output, &Health { ready, says }, |it| it.says.clone())?;
    Ok(if ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn address(config: &Config) -> String {
    let noted = || doors(&config.data).map(|it| it.to_string());
    let said = config.export_listen.clone().or_else(noted);
    reachable(said.as_deref().unwrap_or(ADDRESS))
}

/// What a runtime listens on is not always what can be connected to.
fn reachable(listen: &str) -> String {
    match listen.rsplit_once(':') {
        Some(("0.0.0.0", port)) => format!("127.0.0.1:{port}"),
        Some(("[::]", port)) => format!("[::1]:{port}"),
        _ => listen.to_owned(),
    }
}

async fn ask(address: &str) -> Result<(bool, String), AnyError> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends when the answer has been read.
    tokio::spawn(connection);
    let request = Request::get("/readyz")
        .header("host", address)
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
    let body = body.collect().await?.to_bytes();
    let says = String::from_utf8_lossy(&body).trim().to_owned();
    match status {
        StatusCode::OK => Ok((true, says)),
        StatusCode::SERVICE_UNAVAILABLE => Ok((false, says)),
        _ => Err(format!("something else is there: it answered {status}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_is_asked_on_loopback() {
        assert_eq!(reachable("0.0.0.0:1"), "127.0.0.1:1");
        assert_eq!(reachable("[::]:1"), "[::1]:1");
        assert_eq!(reachable("10.0.0.1:1"), "10.0.0.1:1");
    }

    #[test]
    fn what_is_said_comes_before_what_the_folder_notes_and_that_before_the_standard_port() {
        let folder = tempfile::tempdir().expect("folder");
        let mut config = Config::new(folder.path());
        assert_eq!(address(&config), ADDRESS);
        std::fs::write(folder.path().join("doors.addr"), "0.0.0.0:19446\n").expect("writes");
        assert_eq!(address(&config), "127.0.0.1:19446");
        config.export_listen = Some("127.0.0.1:7".to_owned());
        assert_eq!(address(&config), "127.0.0.1:7");
    }
}

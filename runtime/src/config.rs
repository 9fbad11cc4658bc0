//! What the binary needs to know before it can open its store. Everything else is a setting.
//!
//! One precedence, lowest first: built-in defaults, the configuration file, environment variables
//! (`BRIDGE_…`), flags. A file may only name what is listed here; an unknown name is an error,
//! because a misspelt option that is ignored is worse than one that stops.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use contract::clock::Clock;

/// How one runtime process is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder for the authority, the SQLite files, the lock and the operator's socket.
    pub data: PathBuf,
    /// `postgres://…`; SQLite inside the data folder when absent.
    pub database: Option<String>,
    /// Address of the gRPC port; `None` takes every interface and the port of the settings.
    pub listen: Option<String>,
    /// Address of the console and its API; `None` takes loopback and the port of the settings.
    pub console_listen: Option<String>,
    /// Address of the open doors (health, metrics, OTLP, Loki); `None` takes loopback and the port
    /// of the settings.
    pub export_listen: Option<String>,
    /// File with the token that the open doors ask for; `None` asks for an API token beyond
    /// loopback, and for nothing on it.
    pub export_token_file: Option<PathBuf>,
    /// Names and addresses, besides loopback and the host name, that clients reach the gRPC port by.
    pub names: Vec<String>,
    /// Certificate and key of an authority the operator brings, both PEM.
    pub authority: Option<(PathBuf, PathBuf)>,
    /// Validity of leaf certificates, for tests only: the setting has bounds, this has none.
    pub leaf_life: Option<Duration>,
    /// The source of time.
    pub clock: Clock,
}

impl Config {
    /// A runtime on SQLite in `data`, on its standard ports.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            database: None,
            listen: None,
            console_listen: None,
            export_listen: None,
            export_token_file: None,
            names: Vec::new(),
            authority: None,
            leaf_life: None,
            clock: Clock::system(),
        }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("the configuration file {path} is not valid: {message}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        message: String,
    },
    /// Only one half of an authority was named.
    #[error("an authority needs both ca_cert and ca_key")]
    HalfAuthority,
}

/// One source of options; a later one overrides an earlier one field by field.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Data folder.
    pub data: Option<PathBuf>,
    /// Database address.
    pub database: Option<String>,
    /// gRPC address.
    pub listen: Option<String>,
    /// Address of the console.
    pub console_listen: Option<String>,
    /// Address of the open doors.
    #[serde(alias = "health_listen")]
    pub export_listen: Option<String>,
    /// File with the token of the open doors.
    pub export_token_file: Option<PathBuf>,
    /// Further names of the gRPC port.
    pub names: Option<Vec<String>>,
    /// Certificate of an authority the operator brings.
    pub ca_cert: Option<PathBuf>,
    /// Its key.
    pub ca_key: Option<PathBuf>,
}

impl Options {
    /// Reads a TOML file.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Read`], or [`ConfigError::Parse`] with the line.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            message: error.to_string().trim().replace('\n', " "),
        })
    }

    /// These options, and `above` where it says something.
    pub fn overridden_by(self, above: Self) -> Self {
        Self {
            data: above.data.or(self.data),
            database: above.database.or(self.database),
            listen: above.listen.or(self.listen),
            console_listen: above.console_listen.or(self.console_listen),
            export_listen: above.export_listen.or(self.export_listen),
            export_token_file: above.export_token_file.or(self.export_token_file),
            names: above.names.or(self.names),
            ca_cert: above.ca_cert.or(self.ca_cert),
            ca_key: above.ca_key.or(self.ca_key),
        }
    }

    /// The configuration, with `./.bridge` for data where nothing was said.
    ///
    /// # Errors
    ///
    /// [`ConfigError::HalfAuthority`].
    pub fn into_config(self) -> Result<Config, ConfigError> {
        let authority = match (self.ca_cert, self.ca_key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(ConfigError::HalfAuthority),
        };
        Ok(Config {
            database: self.database,
            listen: self.listen,
            console_listen: self.console_listen,
            export_listen: self.export_listen,
            export_token_file: self.export_token_file,
            names: self.names.unwrap_or_default(),
            authority,
            ..Config::new(self.data.unwrap_or_else(|| PathBuf::from(".bridge")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_sources_override_field_by_field() {
        let file: Options =
            toml::from_str("data = \"/var/lib/bridge\"\nlisten = \"0.0.0.0:1\"").expect("valid");
        let flags = Options {
            listen: Some("127.0.0.1:2".to_owned()),
            ..Options::default()
        };
        let config = file.overridden_by(flags).into_config().expect("complete");
        assert_eq!(config.data, PathBuf::from("/var/lib/bridge"));
        assert_eq!(config.listen.as_deref(), Some("127.0.0.1:2"));
    }

    #[test]
    fn a_misspelt_option_is_named() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("bridge.toml");
        fs::write(&path, "databse = \"x\"").expect("written");
        let error = Options::from_file(&path).expect_err("refused").to_string();
        assert!(
            error.contains("databse") && error.contains("bridge.toml"),
            "{error}"
        );
    }

    #[test]
    fn half_an_authority_is_refused() {
        let options = Options {
            ca_cert: Some("ca.pem".into()),
            ..Options::default()
        };
        assert!(matches!(
            options.into_config(),
            Err(ConfigError::HalfAuthority)
        ));
    }
}

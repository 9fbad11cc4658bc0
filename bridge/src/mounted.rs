//! HTTP servers of this process as the map knows them: where they are.

use crate::error::Error;

/// Longest host, in bytes.
const HOST_BYTES_MAX: usize = 255;

/// Reads where a server is reached: `host:port`.
pub(crate) fn checked(endpoint: &str) -> Result<String, Error> {
    let endpoint = endpoint.trim();
    let parts = endpoint.rsplit_once(':');
    let parts = parts.and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    match parts {
        Some((host, 1..)) if (1..=HOST_BYTES_MAX).contains(&host.len()) => Ok(endpoint.to_owned()),
        _ => Err(Error::config(format!(
            "the HTTP endpoint `{endpoint}` is not `host:port`; say where people reach the server"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use contract::error_code::ErrorCode;

    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        assert_eq!(checked(" shop:80 ").unwrap(), "shop:80");
        for wrong in ["", "shop", ":80", "shop:0", "shop:x"] {
            let error = checked(wrong).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Config, "{wrong}");
        }
    }
}

//! Where a request comes from: which address, and which page.

use std::net::IpAddr;

use axum::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};

use crate::accounts::Remote;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who is at the other end: the peer, or whom a proxy on this machine names. A peer from anywhere
/// else names nobody, be it as near as it may: every container and laptop of a network could
/// otherwise choose the address that its tries are counted by.
pub(super) fn remote(peer: IpAddr, headers: &HeaderMap) -> Remote {
    // The last one was written by the proxy in front of us; those before it anybody can send.
    let named = last(headers, &FORWARDED_FOR).and_then(|it| it.parse().ok());
    let address = named
        .filter(|_| peer.to_canonical().is_loopback())
        .unwrap_or(peer);
    let https = last(headers, &FORWARDED_PROTO).is_some_and(|it| it.eq_ignore_ascii_case("https"));
    Remote { address, https }
}

fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).into_iter();
    let value = values.next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

/// Whether a page of another site sent this, as far as the browser says. Programs say nothing.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    if headers.get(FETCH_SITE).is_some_and(|it| it == "cross-site") {
        return true;
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let host = headers.get(HOST).map(|it| it.as_bytes());
    let origin = origin.to_str().ok().and_then(|it| it.split_once("://"));
    // `null` and whatever else is no address of ours.
    let same = origin.zip(host);
    same.is_none_or(|((_, origin), host)| !origin.as_bytes().eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, value.parse().expect("a header"))
        });
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn a_proxy_on_this_machine_names_the_address_and_nobody_else_does() {
        let near = Ipv4Addr::LOCALHOST.into();
        let sent = headers(&[
            ("x-forwarded-for", "1.1.1.1, 2.2.2.2"),
            ("x-forwarded-for", "3.3.3.3,4.4.4.4"),
            ("x-forwarded-proto", "https"),
        ]);
        let named = remote(near, &sent);
        assert_eq!(named.address, IpAddr::from(Ipv4Addr::new(4, 4, 4, 4)));
        assert!(named.https);
        let mapped = "::ffff:127.0.0.1".parse().expect("an address");
        assert_eq!(remote(mapped, &sent).address, named.address);
        for other in [
            "8.8.8.8",
            "10.0.0.9",
            "172.17.0.2",
            "192.168.1.5",
            "fd00::1",
        ] {
            let other = other.parse().expect("an address");
            assert_eq!(remote(other, &sent).address, other);
        }
        assert_eq!(remote(near, &headers(&[])).address, near);
        let nonsense = headers(&[("x-forwarded-for", "unknown")]);
        assert_eq!(remote(near, &nonsense).address, near);
    }

    #[test]
    fn pages_of_other_hosts_ports_and_of_nowhere_are_foreign() {
        let host = ("host", "bridge.test:14444");
        for (origin, foreign) in [
            ("http://bridge.test:14444", false),
            ("https://BRIDGE.test:14444", false),
            ("http://bridge.test", true),
            ("http://bridge.test:3000", true),
            ("http://bridge.test:14444.evil.test", true),
            ("http://evil.test", true),
            ("null", true),
            ("", true),
        ] {
            assert_eq!(
                is_foreign(&headers(&[host, ("origin", origin)])),
                foreign,
                "{origin}"
            );
        }
        assert!(!is_foreign(&headers(&[host])), "a program");
        assert!(is_foreign(&headers(&[
            host,
            ("sec-fetch-site", "cross-site")
        ])));
        assert!(
            is_foreign(&headers(&[("origin", "http://bridge.test")])),
            "no host"
        );
    }
}

//! The console's files, inside of the binary, as they are and packed.
//!
//! A path is looked up in a table and nowhere else, so no path can lead out of it. What is not in
//! the table is a page of the console: its first file decides in the browser what to show.
//!
//! Invariant: what is packed and what is not have tags of their own, so that no cache takes one
//! for the other.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderValue, IF_NONE_MATCH, VARY,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;

/// One file.
#[derive(Debug)]
struct Asset {
    name: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    /// The same as gzip, made by build.rs.
    packed: &'static [u8],
}

macro_rules! assets {
    ($($name:literal: $kind:literal),* $(,)?) => {
        &[$(Asset {
            name: $name,
            kind: $kind,
            plain: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/console/", $name)),
            packed: include_bytes!(concat!(env!("OUT_DIR"), "/console/", $name, ".gz")),
        }),*]
    };
}

/// Every file of the built console.
const ASSETS: &[Asset] = assets! {
    "NOTICE.txt": "text/plain; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "index.html": "text/html; charset=utf-8",
    "layout-worker.js": "text/javascript; charset=utf-8",
    "theme.js": "text/javascript; charset=utf-8",
};

/// The file that every page begins with.
const FIRST: &str = "index.html";

/// For each file what tells its present content from any other: as it is, and packed.
static ETAGS: LazyLock<Vec<[HeaderValue; 2]>> = LazyLock::new(|| {
    let tags = |asset: &Asset| [asset.plain, asset.packed].map(tag);
    ASSETS.iter().map(tags).collect()
});

fn tag(bytes: &[u8]) -> HeaderValue {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let half = std::array::from_fn(|at| digest[at]);
    let text = format!("\"{:x}\"", u128::from_be_bytes(half));
    HeaderValue::try_from(text).expect("hex digits fit a header")
}

/// The answer for a path outside of the API.
pub(super) fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let text = format!("{method} is not possible here; the API is below /api/v1");
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, text);
        return ([(ALLOW, "GET, HEAD")], problem).into_response();
    }
    let name = path.trim_start_matches('/');
    let at = |name: &str| ASSETS.iter().position(|it| it.name == name);
    let Some(at) = at(name).or_else(|| at(FIRST)) else {
        let text = "this build has no console; the API is below /api/v1";
        return Problem::new(StatusCode::NOT_FOUND, text).into_response();
    };
    let asset = &ASSETS[at];
    let packs = asset.packed.len() < asset.plain.len() && takes_gzip(headers);
    let tag = &ETAGS[at][usize::from(packs)];
    let known = [
        (ETAG, tag.clone()),
        // Kept by the browser, asked about each time: a newer binary shows its own console.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if is_known(headers, tag) {
        return (StatusCode::NOT_MODIFIED, known).into_response();
    }
    let kind = [(CONTENT_TYPE, HeaderValue::from_static(asset.kind))];
    if packs {
        let encoding = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        return (known, kind, encoding, Body::from(asset.packed)).into_response();
    }
    (known, kind, Body::from(asset.plain)).into_response()
}

/// Whether gzip is among what the browser takes; what it says of gzip counts before what it says
/// of everything.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(ACCEPT_ENCODING).into_iter();
    let parts = lists.filter_map(|it| it.to_str().ok());
    let mut every = false;
    for part in parts.flat_map(|it| it.split(',')) {
        let mut words = part.split(';').map(str::trim);
        let coding = words.next().unwrap_or_default();
        let quality = words.find_map(|it| it.strip_prefix("q=").or(it.strip_prefix("Q=")));
        let wanted = quality.is_none_or(|it| it.parse::<f32>().is_ok_and(|it| it > 0.0));
        if coding.eq_ignore_ascii_case("gzip") {
            return wanted;
        }
        every |= coding == "*" && wanted;
    }
    every
}

/// Whether the browser has the file as it is now.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).into_iter();
    let mut tags = lists
        .flat_map(|it| it.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii);
    tags.any(|it| it == b"*" || it.strip_prefix(b"W/").unwrap_or(it) == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn ask(path: &str, headers: &[(&'static str, &str)]) -> Response {
        let pair = |(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_str(value).expect("a value");
            (axum::http::HeaderName::from_static(name), value)
        };
        answer(&Method::GET, path, &headers.iter().map(pair).collect())
    }

    async fn bytes(response: Response) -> Vec<u8> {
        let all = axum::body::to_bytes(response.into_body(), 1 << 24).await;
        all.expect("all of it").to_vec()
    }

    #[tokio::test]
    async fn every_file_is_the_same_when_it_is_unpacked() {
        for asset in ASSETS {
            let packed = ask(asset.name, &[("accept-encoding", "br, gzip")]);
            assert_eq!(packed.headers()[VARY], "accept-encoding");
            let gzip = packed.headers().get(CONTENT_ENCODING).is_some();
            assert_eq!(gzip, asset.packed.len() < asset.plain.len());
            let mut came = bytes(packed).await;
            if gzip {
                let mut plain = Vec::new();
                let mut unpacked = flate2::read::GzDecoder::new(&*came);
                unpacked.read_to_end(&mut plain).expect("gzip");
                came = plain;
            }
            assert_eq!(came, bytes(ask(asset.name, &[])).await, "{}", asset.name);
        }
    }

    #[test]
    fn gzip_is_sent_to_who_says_that_it_takes_it() {
        for (said, packs) in [
            ("gzip", true),
            ("GZIP;q=0.5", true),
            ("br;q=1.0, gzip; q=0.8, *;q=0.1", true),
            ("*", true),
            ("*;q=0, gzip", true),
            ("gzip;q=0, *", false),
            ("gzip; q=0.000", false),
            ("gzip;q=much", false),
            ("identity", false),
            ("x-gzipped", false),
            ("", false),
        ] {
            let came = ask("/app.js", &[("accept-encoding", said)]);
            let encoding = came.headers().get(CONTENT_ENCODING);
            assert_eq!(encoding.is_some_and(|it| it == "gzip"), packs, "{said}");
        }
        assert!(!ask("/app.js", &[]).headers().contains_key(CONTENT_ENCODING));
    }

    #[test]
    fn a_tag_is_known_for_the_encoding_it_was_given_with_only() {
        let plain = ask("/app.js", &[]).headers()[ETAG].clone();
        let packed = ask("/app.js", &[("accept-encoding", "gzip")]).headers()[ETAG].clone();
        assert_ne!(plain, packed);
        for (tag, encoding, status) in [
            (&plain, "identity", StatusCode::NOT_MODIFIED),
            (&packed, "gzip", StatusCode::NOT_MODIFIED),
            (&plain, "gzip", StatusCode::OK),
            (&packed, "identity", StatusCode::OK),
        ] {
            let tag = tag.to_str().expect("text");
            let came = ask(
                "/app.js",
                &[("accept-encoding", encoding), ("if-none-match", tag)],
            );
            assert_eq!(came.status(), status, "{encoding}");
            assert_eq!(came.headers()[VARY], "accept-encoding");
        }
    }

    #[test]
    fn every_file_of_the_built_console_is_in_the_table() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/console");
        let entries = std::fs::read_dir(folder).expect("the console is built");
        let name = |it: std::io::Result<std::fs::DirEntry>| {
            it.expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        };
        let mut names: Vec<_> = entries.map(name).collect();
        names.sort();
        let table: Vec<_> = ASSETS.iter().map(|it| it.name).collect();
        assert_eq!(
            table, names,
            "the table in http/assets.rs lists the files by name"
        );
        assert!(names.iter().any(|it| it == FIRST));
    }
}

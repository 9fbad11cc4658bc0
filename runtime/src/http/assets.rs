//! The console's files, inside of the binary.
//!
//! A path is looked up in a table and nowhere else, so no path can lead out of it. What is not in
//! the table is a page of the console: its first file decides in the browser what to show.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
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
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal: $kind:literal),* $(,)?) => {
        &[$(Asset {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/console/", $name)),
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

/// For each file what tells its present content from any other.
static ETAGS: LazyLock<Vec<HeaderValue>> = LazyLock::new(|| {
    let tag = |asset: &Asset| {
        let digest = Sha256::digest(asset.bytes);
        let text = format!("\"{:x}\"", u128::from_be_bytes(first_half(&digest.into())));
        HeaderValue::try_from(text).expect("hex digits fit a header")
    };
    ASSETS.iter().map(tag).collect()
});

fn first_half(digest: &[u8; 32]) -> [u8; 16] {
    std::array::from_fn(|at| digest[at])
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
    let (asset, tag) = (&ASSETS[at], &ETAGS[at]);
    let known = [
        (ETAG, tag.clone()),
        // Kept by the browser, asked about each time: a newer binary shows its own console.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    if is_known(headers, tag) {
        return (StatusCode::NOT_MODIFIED, known).into_response();
    }
    let kind = [(CONTENT_TYPE, HeaderValue::from_static(asset.kind))];
    (known, kind, Body::from(asset.bytes)).into_response()
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
    use super::*;

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

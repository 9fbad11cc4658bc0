//! HTTP forms of an rpc: what callers write decides, and which fields that fills.

use super::tests::lock;
use super::{Places, compare};

/// The differences of an rpc with the HTTP form, as lines for people, worst first.
#[track_caller]
fn check(old: [&str; 2], new: [&str; 2], expected: &[&str]) {
    let [old, new] = [old, new].map(|[path, fields]| {
        let fields = fields.replace(", ", "\n  ");
        lock(&format!(
            "lock 1\nrpc p.S/Get\n  in p.In\n  out p.Out\n  hash h\n  http GET {path}\n\
             message p.In\n  {fields}\nmessage p.Key\n  7 id string\n"
        ))
    });
    let report = compare(&old, &new, &Places::default());
    let http = report
        .changes
        .iter()
        .filter(|it| it.what.starts_with("rpc"));
    let lines: Vec<_> = http
        .map(|it| it.to_string().replace("rpc `p.S/Get`", "it"))
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_path_that_takes_the_same_requests_into_the_same_fields_breaks_nobody() {
    let fields = "1 s string, 2 key message p.Key";
    check(
        ["/x/{s}", fields],
        ["/x/{s=*}", fields],
        &["patch: it at `GET /x/{s}` is written `GET /x/{s=*}` now"],
    );
    check(
        ["/x/{s}", "1 s string"],
        ["/x/{t}", "1 t string"],
        &["patch: it at `GET /x/{s}` is written `GET /x/{t}` now"],
    );
    check(
        ["/x/{key.id}", fields],
        ["/x/{other.id}", "1 s string, 2 other message p.Key"],
        &["patch: it at `GET /x/{key.id}` is written `GET /x/{other.id}` now"],
    );
}

#[test]
fn a_path_that_fills_another_field_or_takes_other_requests_breaks_them() {
    let fields = "1 s string, 2 t string";
    check(
        ["/x/{s}", fields],
        ["/x/{t}", fields],
        &[
            "major: it at `GET /x/{s}` fills other fields as `GET /x/{t}` (breaks http): keep the \
             fields that the path fills; what callers write there means them",
        ],
    );
    check(
        ["/x/{s=**}", fields],
        ["/x/{s}", fields],
        &[
            "major: it is not at `GET /x/{s=**}` any more (breaks http): keep it as one of the \
             `additional_bindings`",
            "minor: it is at `GET /x/{s}` too",
        ],
    );
}

//! Rules of matching that a property test against axum meets only now and then.

use super::super::matcher::Matcher;

/// The pattern that `path` takes.
fn check(patterns: &[&str], path: &str, expected: Option<&str>) {
    let numbered = patterns.iter().map(|it| (*it).to_owned()).zip(0..);
    let matcher = Matcher::new(numbered).expect("patterns of axum");
    let found = matcher.find(path).map(|it| patterns[it as usize]);
    assert_eq!(found, expected, "{path} among {patterns:?}");
}

#[test]
fn a_literal_goes_before_a_parameter() {
    let patterns = [
        "/orders/{id}",
        "/orders/new",
        "/orders/{id}/items",
        "/orders/{*rest}x",
    ];
    let patterns = &patterns[..3];
    check(patterns, "/orders/new", Some("/orders/new"));
    check(patterns, "/orders/newer", Some("/orders/{id}"));
    check(patterns, "/orders/ne", Some("/orders/{id}"));
    check(patterns, "/orders/new/items", Some("/orders/{id}/items"));
    check(patterns, "/orders/", None);
    check(patterns, "/orders", None);
    check(patterns, "", None);
}

#[test]
fn a_literal_that_leads_nowhere_gives_way_at_every_depth() {
    let patterns = [
        "/a/b/c/d",
        "/a/b/{x}/e",
        "/a/{y}/c/f",
        "/{z}/b/c/g",
        "/{z}/{*rest}",
    ];
    check(&patterns, "/a/b/c/d", Some("/a/b/c/d"));
    check(&patterns, "/a/b/c/e", Some("/a/b/{x}/e"));
    check(&patterns, "/a/b/c/f", Some("/a/{y}/c/f"));
    check(&patterns, "/a/b/c/g", Some("/{z}/b/c/g"));
    check(&patterns, "/a/b/c/h", Some("/{z}/{*rest}"));
    check(&patterns, "/a/", None);
}

#[test]
fn a_parameter_may_follow_a_literal_in_its_segment() {
    let patterns = ["/v{version}", "/v1", "/v{version}/users"];
    check(&patterns, "/v1", Some("/v1"));
    check(&patterns, "/v12", Some("/v{version}"));
    check(&patterns, "/v", None);
    check(&patterns, "/v1/users", Some("/v{version}/users"));
}

#[test]
fn doubled_braces_mean_themselves() {
    let patterns = ["/{{id}}", "/{id}"];
    check(&patterns, "/{id}", Some("/{{id}}"));
    check(&patterns, "/7", Some("/{id}"));
}

#[test]
fn paths_need_not_be_characters_cut_between_nodes() {
    let patterns = ["/ü", "/ö"];
    check(&patterns, "/ö", Some("/ö"));
    check(&patterns, "/ä", None);
}

#[test]
fn nothing_matches_among_no_patterns() {
    check(&[], "/", None);
    assert_eq!(Matcher::default().find("/"), None);
}

#[test]
fn a_pattern_that_axum_does_not_know_is_refused() {
    for pattern in [
        "/{a}b",
        "/{*rest}/more",
        "/{}",
        "/{*}",
        "/{a",
        "/a}",
        "/{a{b}}",
        "/{a/b}",
    ] {
        let refused = Matcher::new([(pattern.to_owned(), 0)]);
        assert_eq!(refused.expect_err("no pattern").found, pattern);
    }
}

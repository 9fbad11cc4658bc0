//! What the language means, and that no text breaks the reader.

use super::logql::{Function, Grouping, Pipeline, Query, Stage, Test};
use super::parse::{duration, parse, parse_selector};

fn refused(text: &str) -> String {
    match parse(text) {
        Ok(query) => panic!("{text} was read as {query:?}"),
        Err(error) => error.to_string(),
    }
}

fn lines(text: &str) -> Pipeline {
    match parse(text) {
        Ok(Query::Lines(pipeline)) => pipeline,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn selectors_and_filters_are_read() {
    let read = lines(
        r#"{service="or\"ders", level=~`warn|error`,instance!="",} |= "a" or `b` != "c" |~ `\d+` !~ "x" | level!="debug" | drop __error__, foo # why"#,
    );
    assert_eq!(read.selector.len(), 3);
    assert!(matches!(&read.selector[0].test, Test::Is(it) if it == "or\"ders"));
    assert!(read.selector[1].test.passes("error") && !read.selector[1].test.passes("errors"));
    assert_eq!(read.stages.len(), 6);
    let Stage::Line { any, absent: false } = &read.stages[0] else {
        panic!("{:?}", read.stages[0]);
    };
    assert!(any.iter().any(|it| it.is_in("only b")));
    assert!(matches!(&read.stages[5], Stage::Drop(names) if names.len() == 2));
    assert!(lines("{}").selector.is_empty());
    parse_selector("rate({a=\"b\"}[1m])").expect_err("numbers are no selector");
}

#[test]
fn what_a_volume_histogram_asks_for_is_read() {
    for text in [
        r#"sum by (level, detected_level) (count_over_time({service="a"} |= "x" | drop __error__[1m]))"#,
        r#"sum(count_over_time({service="a"}[1m] |= "x" | drop __error__)) by (level, detected_level)"#,
        r#"sum by(level,detected_level)(count_over_time(({service="a"}|="x"|drop __error__)[60s]))"#,
    ] {
        let Ok(Query::Numbers(read)) = parse(text) else {
            panic!("{text}: {:?}", parse(text));
        };
        assert_eq!(read.range, 60_000_000_000);
        assert_eq!(read.function, Function::CountOverTime);
        assert_eq!(read.pipeline.stages.len(), 2, "{text}");
        let labels = ["level", "detected_level"].map(str::to_owned).to_vec();
        assert_eq!(read.sum, Some(Grouping::By(labels)));
    }
    assert!(matches!(parse("vector(1)+vector(1)"), Ok(Query::Constant(two)) if two == 2.0));
}

#[test]
fn what_is_not_supported_is_named() {
    for (text, named) in [
        (r#"{a="b"} | json"#, "`| json` is not supported"),
        (r#"{a="b"} | logfmt"#, "`| logfmt`"),
        (r#"{a="b"} | x > 5"#, "`>` is not supported"),
        (r#"{a="b"} | line_format "x""#, "line_format"),
        (r#"{a="b"} |> "<_>""#, "pattern filters"),
        (r#"{a="b"} |= ip("10.0.0.0/8")"#, "ip()"),
        (r#"{a="b"} | x="1" or y="2""#, "`and` and `or`"),
        (r#"avg(rate({a="b"}[1m]))"#, "`avg`"),
        (r#"topk(5, rate({a="b"}[1m]))"#, "`topk`"),
        (
            r#"quantile_over_time(0.9, {a="b"} | unwrap x [1m])"#,
            "quantile_over_time",
        ),
        (r#"rate({a="b"}[1m]) / 2"#, "not supported here"),
        (r#"rate({a="b"}[1m]) + rate({a="b"}[1m])"#, "arithmetic"),
        (r#"rate({a="b"}[1m] offset 5m)"#, "`offset`"),
        (r#"rate({a="b"})"#, "range"),
        (r#"{a="b""#, "`}` is wanted"),
        (r#"{a=b}"#, "quotes"),
        (r#"{a=~"("}"#, "regular expression"),
        (r#"{a=~"(a{1000}){1000}"}"#, "regular expression"),
        (r#"{a="b"#, "not closed"),
        ("", "a name is wanted"),
        ("hello", "`hello` is not supported"),
    ] {
        let error = refused(text);
        assert!(error.starts_with("parse error at line 1, col "), "{error}");
        assert!(error.contains(named), "{text}: {error}");
    }
    let many = vec![r#"a="b""#; 65].join(",");
    assert!(refused(&format!("{{{many}}}")).contains("64 conditions"));
    assert!(refused(&"x".repeat(9_000)).contains("8192 bytes"));
}

#[test]
fn spans_are_read_in_any_mixture() {
    for (text, nanos) in [
        ("1h30m", 5_400_000_000_000),
        ("1.5s", 1_500_000_000),
        ("5ms", 5_000_000),
    ] {
        assert_eq!(duration(text), Some(nanos));
    }
    for bad in ["", "5", "m", "1x", "0s", "99999999999y", "1..5s"] {
        assert_eq!(duration(bad), None, "{bad}");
    }
}

/// Pieces of queries in any order, and queries with a piece torn out: an answer or an error, in
/// bounded time, never a panic.
#[test]
fn no_text_breaks_the_reader() {
    const PIECES: [&str; 30] = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        "=",
        "!=",
        "=~",
        "!~",
        "|=",
        "|",
        "\"",
        "`",
        "\\",
        "a",
        "service",
        "\"x\"",
        "`.*`",
        "sum",
        "by",
        "rate",
        "count_over_time",
        "5m",
        "vector",
        "é",
        "\n",
        "or",
        "drop",
    ];
    const WHOLE: &str = r#"sum by (level) (count_over_time({service="a\u00e9", level=~"w.*"} |= "x" or `y` | drop __error__ [1m]))"#;
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let count = random.usize(0..24);
        let text: String = (0..count)
            .map(|_| PIECES[random.usize(..PIECES.len())])
            .collect();
        let _ = parse(&text).map_err(|error| error.to_string());
    }
    let places: Vec<usize> = (0..=WHOLE.len())
        .filter(|at| WHOLE.is_char_boundary(*at))
        .collect();
    for from in &places {
        for to in places.iter().filter(|to| *to >= from) {
            let torn = [&WHOLE[..*from], &WHOLE[*to..]].concat();
            let _ = parse(&torn).map_err(|error| error.to_string());
        }
    }
}

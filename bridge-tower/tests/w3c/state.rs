//! The rules of `tracestate`.

use super::*;

#[test]
fn a_state_without_a_parent_is_discarded() {
    assert!(Hop::through(&[(TRACESTATE, "foo=1")]).state.is_empty());
    assert!(
        Hop::through(&[(TRACESTATE, "foo=1,bar=2")])
            .state
            .is_empty()
    );
}

#[test]
fn a_state_beside_an_invalid_parent_is_discarded() {
    let repeated = [PARENT, PARENT, (TRACESTATE, "foo=1")];
    assert!(Hop::through(&repeated).state.is_empty());
    let zero = parent("00", TRACE, "0000000000000000", "01");
    let hop = Hop::through(&[(TRACEPARENT, &zero), (TRACESTATE, "foo=1")]);
    assert!(hop.state.is_empty());
}

#[test]
fn a_state_beside_its_parent_goes_on() {
    let hop = Hop::through(&[PARENT, (TRACESTATE, "foo=1,bar=2")]);
    assert_eq!(hop.trace(), TRACE);
    assert!(hop.has_state(&[("foo", "1"), ("bar", "2")]));
}

#[test]
fn a_state_that_is_invalid_does_not_harm_the_parent() {
    let hop = Hop::through(&[PARENT, (TRACESTATE, "foo")]);
    assert_eq!(hop.trace(), TRACE);
    assert!(hop.state.is_empty());
}

#[test]
fn a_state_under_another_name_is_none() {
    for name in ["trace-state", "trace.state"] {
        assert!(Hop::through(&[PARENT, (name, "foo=1")]).state.is_empty());
    }
}

#[test]
fn the_name_of_the_state_has_any_case() {
    for name in ["TraceState", "TrAcEsTaTe", "TRACESTATE"] {
        assert!(Hop::through(&[PARENT, (name, "foo=1")]).has_state(&[("foo", "1")]));
    }
}

#[test]
fn an_empty_state_is_accepted_and_not_told() {
    let hop = Hop::through(&[PARENT, (TRACESTATE, "")]);
    assert!(hop.headers.get(TRACESTATE).is_none());
    assert_eq!(hop.trace(), TRACE);
    for sent in [["foo=1", ""], ["", "foo=1"]] {
        let hop = Hop::through(&[PARENT, (TRACESTATE, sent[0]), (TRACESTATE, sent[1])]);
        assert!(hop.has_state(&[("foo", "1")]), "{sent:?}");
    }
}

#[test]
fn several_states_are_one_in_their_order() {
    let hop = Hop::through(&[
        PARENT,
        (TRACESTATE, "foo=1,bar=2"),
        (TRACESTATE, "rojo=1,congo=2"),
        (TRACESTATE, "baz=3"),
    ]);
    let all = [
        ("foo", "1"),
        ("bar", "2"),
        ("rojo", "1"),
        ("congo", "2"),
        ("baz", "3"),
    ];
    assert!(hop.has_state(&all), "{:?}", hop.state);
}

#[test]
fn repeated_keys_go_on_as_they_came() {
    for (sent, expected) in [
        (&["foo=1,foo=1"][..], [("foo", "1"), ("foo", "1")]),
        (&["foo=1,foo=2"], [("foo", "1"), ("foo", "2")]),
        (&["foo=1", "foo=1"], [("foo", "1"), ("foo", "1")]),
        (&["foo=1", "foo=2"], [("foo", "1"), ("foo", "2")]),
    ] {
        let states = sent.iter().map(|state| (TRACESTATE, *state));
        let all: Vec<_> = [PARENT].into_iter().chain(states).collect();
        assert!(Hop::through(&all).has_state(&expected), "{sent:?}");
    }
}

#[test]
fn every_legal_character_goes_on() {
    let key: String = ('a'..='z').chain('0'..='9').chain("_-*/".chars()).collect();
    let value: String = (' '..='~').filter(|it| !matches!(it, ',' | '=')).collect();
    for key in [key.clone(), format!("{key}@a-z0-9_-*/")] {
        let hop = Hop::through(&[PARENT, (TRACESTATE, &format!("{key}={value}"))]);
        assert!(hop.has_state(&[(&key, &value)]), "{:?}", hop.state);
    }
}

#[test]
fn spaces_and_tabs_around_entries_do_not_count() {
    let all = [("foo", "1"), ("bar", "2"), ("baz", "3")];
    for state in [
        "foo=1 \t , \t bar=2, \t baz=3",
        "foo=1\t \t,\t \tbar=2,\t \tbaz=3",
    ] {
        assert!(Hop::through(&[PARENT, (TRACESTATE, state)]).has_state(&all));
    }
    for state in [" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"] {
        assert!(Hop::through(&[PARENT, (TRACESTATE, state)]).has_state(&[("foo", "1")]));
    }
}

#[test]
fn spaces_in_front_of_a_value_belong_to_it() {
    let hop = Hop::through(&[PARENT, (TRACESTATE, "foo=  1 2  ,bar=2")]);
    assert!(
        hop.has_state(&[("foo", "  1 2"), ("bar", "2")]),
        "{:?}",
        hop.state
    );
}

#[test]
fn a_key_has_lower_case_letters_digits_and_five_signs() {
    for key in [
        "foo ", "FOO", "foo.bar", "fo\to", "", "föö", "@foo", "-foo", "*",
    ] {
        let hop = Hop::through(&[PARENT, (TRACESTATE, &format!("{key}=1,bar=2"))]);
        assert!(hop.state.is_empty(), "{key:?}");
    }
    for key in [
        "0foo",
        "foo@",
        "foo@@bar",
        "foo@bar@baz",
        "tenant@vendor",
        "f",
    ] {
        let hop = Hop::through(&[PARENT, (TRACESTATE, &format!("{key}=1,bar=2"))]);
        assert!(hop.has_state(&[(key, "1"), ("bar", "2")]), "{key:?}");
    }
}

#[test]
fn a_state_has_up_to_32_entries() {
    let entry = |at: usize| format!("bar{at:02}={at:02}");
    let list = |range: std::ops::Range<usize>| range.map(entry).collect::<Vec<_>>().join(",");
    for (last, expected) in [(33, 32), (34, 0)] {
        let hop = Hop::through(&[
            PARENT,
            (TRACESTATE, &list(1..11)),
            (TRACESTATE, &list(11..21)),
            (TRACESTATE, &list(21..31)),
            (TRACESTATE, &list(31..last)),
        ]);
        assert_eq!(hop.state.len(), expected);
    }
}

#[test]
fn a_key_has_up_to_256_characters() {
    for (key, is_valid) in [
        ("z".repeat(256), true),
        ("z".repeat(257), false),
        ("t".repeat(241) + "@" + &"v".repeat(14), true),
        ("t".repeat(242) + "@v", true),
        ("t@".to_owned() + &"v".repeat(15), true),
        ("t".repeat(242) + "@" + &"v".repeat(14), false),
    ] {
        let entry = format!("{key}=1");
        let hop = Hop::through(&[PARENT, (TRACESTATE, "foo=1"), (TRACESTATE, &entry)]);
        let all = [("foo", "1"), (key.as_str(), "1")];
        assert!(hop.has_state(if is_valid { &all } else { &[] }), "{key}");
    }
}

#[test]
fn a_value_is_printable_without_comma_and_equal_sign_and_not_empty() {
    for bad in ["bar=baz", "", " ", "a\tb", "é"] {
        let hop = Hop::through(&[PARENT, (TRACESTATE, &format!("foo={bad},bar=3"))]);
        assert!(hop.state.is_empty(), "{bad:?}");
    }
    let longest = "v".repeat(256);
    let hop = Hop::through(&[PARENT, (TRACESTATE, &format!("foo={longest}"))]);
    assert!(hop.has_state(&[("foo", &longest)]));
    let hop = Hop::through(&[PARENT, (TRACESTATE, &format!("foo={longest}v"))]);
    assert!(hop.state.is_empty());
}

#[test]
fn at_least_512_characters_of_state_go_on() {
    let entry = |at| format!("k{at:02}={}", "v".repeat(28));
    let state = (0..16).map(entry).collect::<Vec<_>>().join(",");
    assert!(state.len() >= 512);
    let hop = Hop::through(&[PARENT, (TRACESTATE, &state)]);
    assert_eq!(hop.headers[TRACESTATE], state);
}

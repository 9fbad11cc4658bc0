//! The grammar of the specification, and what its reference implementation accepts.

use super::*;

fn read(text: &str) -> Baggage {
    Baggage::read(&HeaderValue::from_bytes(text.as_bytes()).expect("a header value"))
}

fn text(baggage: &Baggage) -> &str {
    baggage
        .header()
        .map_or("", |it| it.to_str().expect("ASCII"))
}

fn pairs(baggage: &Baggage) -> Vec<(&str, String)> {
    let members = baggage.members();
    members
        .map(|it| (it.key(), it.value().into_owned()))
        .collect()
}

/// Key and value of each property of the only member.
fn said(text: &str) -> Vec<(String, Option<String>)> {
    let baggage = read(text);
    let member = baggage.members().next().expect("a member");
    let owned = |it: Property<'_>| (it.key.to_owned(), it.value.map(Cow::into_owned));
    member.properties().map(owned).collect()
}

#[test]
fn members_and_their_properties_are_read() {
    let baggage = read("SomeKey=SomeValue;SomeProp,SomeKey2=SomeValue2;ValueProp=PropVal");
    let expected = [("SomeKey", "SomeValue"), ("SomeKey2", "SomeValue2")];
    assert_eq!(pairs(&baggage), expected.map(|it| (it.0, it.1.to_owned())));
    let property = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
    assert_eq!(said("a=1;SomeProp"), [property("SomeProp", None)]);
    assert_eq!(said("a=1;p=v"), [property("p", Some("v"))]);
    assert_eq!(
        said("a=1; p ; q \t=\t v ;r="),
        [
            property("p", None),
            property("q", Some("v")),
            property("r", Some(""))
        ]
    );
    assert_eq!(said("a=1"), []);
}

#[test]
fn spaces_around_keys_values_and_separators_do_not_count() {
    let baggage = read("\tk1 \t = \t v1 \t ; \t p \t , \t k2 = v2 ");
    let expected = [("k1", "v1"), ("k2", "v2")];
    assert_eq!(pairs(&baggage), expected.map(|it| (it.0, it.1.to_owned())));
}

#[test]
fn only_the_first_equal_sign_separates() {
    assert_eq!(read("k=a=b==").get("k").as_deref(), Some("a=b=="));
    assert_eq!(
        said("k=1;p=a=b"),
        [("p".to_owned(), Some("a=b".to_owned()))]
    );
}

#[test]
fn values_are_percent_decoded_and_keys_are_not() {
    let decoded = "\t \"';=asdf!@#$%^&*()";
    let encoded = "%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2a%28%29";
    assert_eq!(
        read(&format!("k={encoded}")).get("k").as_deref(),
        Some(decoded)
    );
    assert_eq!(
        said(&format!("k=v;p={encoded}"))[0].1.as_deref(),
        Some(decoded)
    );
    assert_eq!(said("k=v;a%20%3D%20b"), [("a%20%3D%20b".to_owned(), None)]);
    assert_eq!(read("a%20b=1").get("a%20b").as_deref(), Some("1"));
    assert_eq!(read("k=Am%C3%A9lie").get("k").as_deref(), Some("Amélie"));
}

#[test]
fn what_is_no_utf8_is_replaced_and_what_is_no_escape_stays() {
    assert_eq!(read("k=a%FFb").get("k").as_deref(), Some("a\u{fffd}b"));
    assert_eq!(read("k=%C3").get("k").as_deref(), Some("\u{fffd}"));
    for literal in ["%", "%4", "%zz", "100%", "%%41x", "%+1"] {
        let expected = if literal == "%%41x" { "%Ax" } else { literal };
        let read = read(&format!("k={literal}"));
        assert_eq!(read.get("k").as_deref(), Some(expected), "{literal}");
    }
}

#[test]
fn a_bad_member_is_left_out_alone() {
    for bad in [
        "",
        " ",
        "k",
        "=v",
        "k@=v",
        "k k=v",
        "k=\"v\"",
        "k=a b",
        "k=a\\b",
        "k=é",
        "k=v;",
        "k=v;;p",
        "k=v;p q",
        "k=v;=x",
        "k=v;p=\"x\"",
        "ké=v",
    ] {
        let baggage = read(&format!("a=1,{bad},b=2"));
        assert_eq!(text(&baggage), "a=1,b=2", "{bad:?}");
        assert!(read(bad).is_empty(), "{bad:?}");
    }
}

#[test]
fn valid_baggage_is_handed_on_as_it_came() {
    let came = "userId =   alice, serverNode = DF%2028;x , e=,a=1,a=2";
    assert_eq!(text(&read(came)), came);
}

#[test]
fn of_a_repeated_key_the_last_value_counts_and_the_order_stays() {
    let mut baggage = read("a=1,b=2,a=3");
    assert_eq!(baggage.get("a").as_deref(), Some("3"));
    baggage.insert("c", "4").expect("room");
    assert_eq!(text(&baggage), "a=1,b=2,a=3,c=4");
    baggage.insert("a", "5").expect("room");
    assert_eq!(text(&baggage), "b=2,c=4,a=5");
}

#[test]
fn keys_are_told_apart_by_case() {
    let mut baggage = read("k=1,K=2");
    assert_eq!(baggage.get("k").as_deref(), Some("1"));
    assert!(baggage.remove("k") && !baggage.remove("k"));
    assert_eq!(text(&baggage), "K=2");
    assert!(baggage.remove("K") && baggage.is_empty());
    assert_eq!(baggage.header(), None);
}

#[test]
fn any_text_is_written_so_that_it_reads_back() {
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..2_000 {
        let value: String = (0..random.usize(..20)).map(|_| random.char(..)).collect();
        let said: String = (0..random.usize(..9)).map(|_| random.char(..)).collect();
        let property = Property {
            key: "p",
            value: Some(said.as_str().into()),
        };
        let mut baggage = Baggage::default();
        baggage
            .insert_with("k", &value, std::slice::from_ref(&property))
            .expect("room");
        let again = Baggage::read(baggage.header().expect("a member"));
        assert_eq!(again, baggage);
        let member = again.members().next().expect("a member");
        assert_eq!(member.value(), value);
        assert_eq!(member.properties().collect::<Vec<_>>(), [property]);
    }
}

#[test]
fn no_bytes_make_the_reader_panic_and_what_it_keeps_is_valid() {
    let mut random = fastrand::Rng::with_seed(6);
    let alphabet = b"ab=;,% \t\"\\4\xc3\x80";
    for _ in 0..100_000 {
        let bytes: Vec<u8> = (0..random.usize(..40))
            .map(|_| alphabet[random.usize(..alphabet.len())])
            .collect();
        let Ok(raw) = HeaderValue::from_bytes(&bytes) else {
            continue;
        };
        let baggage = Baggage::read(&raw);
        if let Some(kept) = baggage.header() {
            assert_eq!(Baggage::read(kept), baggage);
            assert!(baggage.members().count() >= 1);
        }
    }
}

#[test]
fn sixty_four_members_are_handed_on_and_no_more() {
    let list = |count| (0..count).map(|at| format!("k{at}=v")).collect::<Vec<_>>();
    assert_eq!(text(&read(&list(64).join(","))), list(64).join(","));
    assert_eq!(text(&read(&list(65).join(","))), list(64).join(","));
    let mut full = read(&list(64).join(","));
    let before = full.clone();
    let refused = full.insert("one-more", "v").expect_err("no room");
    assert!(
        refused.to_string().contains("`one-more` would make it 65"),
        "{refused}"
    );
    assert_eq!(full, before);
    full.insert("k7", "in place").expect("not one more");
    assert_eq!(full.members().count(), 64);
}

#[test]
fn eight_kibibytes_are_handed_on_and_no_partial_member() {
    let one = format!("a={}", "0123456789".repeat(819));
    assert_eq!(one.len(), BYTES_MAX);
    assert_eq!(text(&read(&one)), one);
    assert!(read(&format!("{one}x")).is_empty());
    assert_eq!(text(&read(&format!("b=2,{one}"))), "b=2");
    let half = format!("a={}", "x".repeat(BYTES_MAX / 2 - 2));
    assert_eq!(
        text(&read(&format!("{half},{half}"))),
        half,
        "one comma too much"
    );
    let rest = format!("b={}", "x".repeat(BYTES_MAX / 2 - 3));
    assert_eq!(text(&read(&format!("{half},{rest}"))).len(), BYTES_MAX);
    let mut baggage = read(&half);
    assert!(baggage.insert("b", &"x".repeat(BYTES_MAX / 2 - 3)).is_ok());
    assert!(baggage.insert("c", "").is_err());
}

#[test]
fn a_key_that_is_no_token_is_refused() {
    let mut baggage = Baggage::default();
    for key in ["", "a b", "a,b", "é", "a=b", "a\r\nb"] {
        assert!(
            matches!(baggage.insert(key, "v"), Err(BaggageError::Key(_))),
            "{key:?}"
        );
        let said = [Property { key, value: None }];
        assert!(baggage.insert_with("k", "v", &said).is_err(), "{key:?}");
    }
    assert!(baggage.is_empty());
    baggage.insert("k", "a\r\nset-cookie: x").expect("any text");
    assert_eq!(text(&baggage), "k=a%0D%0Aset-cookie:%20x");
}

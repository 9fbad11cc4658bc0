//! The rules of W3C Trace Context, levels 1 and 2, one test per rule of its public test plan: what
//! a service hears, and what it tells the services that it calls. Requests are sent as bytes to a
//! real server: names in any case, spaces around values and repeated headers are what it makes of
//! them.

mod state;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::LazyLock;

use axum::Router;
use axum::routing::get;
use bridge_tower::w3c::{self, Incoming, TraceFlags, TraceParent};
use bridge_tower::{Batch, Export, ObserveLayer, Recorder};
use contract::headers::{TRACEPARENT, TRACESTATE, TraceContext, X_SB_TRACE};
use http::{HeaderMap, HeaderName, HeaderValue};

const TRACE: &str = "12345678901234567890123456789012";
const SPAN: &str = "1234567890123456";
const PARENT: (&str, &str) = (
    TRACEPARENT,
    "00-12345678901234567890123456789012-1234567890123456-00",
);

type Headers<'h> = &'h [(&'h str, &'h str)];

/// What a service that is sent some headers tells the next one.
struct Hop {
    parent: TraceParent,
    state: Vec<(String, String)>,
    headers: HeaderMap,
}

impl Hop {
    /// Sends `sent` to an observed service, as bytes, and reads what its handler would tell.
    fn through(sent: Headers<'_>) -> Self {
        let mut client = TcpStream::connect(service()).expect("a connection");
        let mut request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n".to_vec();
        for (name, value) in sent {
            request.extend([name, ":", value, "\r\n"].concat().as_bytes());
        }
        request.extend(b"\r\n");
        client.write_all(&request).expect("sent");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("an answer");
        let mut lines = answer.lines();
        assert_eq!(lines.next(), Some("HTTP/1.1 200 OK"), "{sent:?}");
        let mut told = HeaderMap::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").expect("a header");
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            told.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        Self::read(told)
    }

    fn read(headers: HeaderMap) -> Self {
        assert_eq!(headers.get_all(TRACEPARENT).iter().count(), 1);
        assert!(headers.get_all(TRACESTATE).iter().count() <= 1);
        let parent = TraceParent::parse(headers[TRACEPARENT].as_bytes()).expect("valid");
        let state = headers.get(TRACESTATE).map(|value| {
            let state = w3c::TraceState::read(value).expect("valid");
            let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
            state.entries().map(owned).collect()
        });
        Self {
            parent,
            state: state.unwrap_or_default(),
            headers,
        }
    }

    fn trace(&self) -> String {
        format!("{:032x}", self.parent.trace())
    }

    fn has_state(&self, expected: &[(&str, &str)]) -> bool {
        let state = self.state.iter().map(|it| (it.0.as_str(), it.1.as_str()));
        state.eq(expected.iter().copied())
    }
}

/// The address of a service that answers with the headers it would tell the next one.
fn service() -> SocketAddr {
    static ADDRESS: LazyLock<SocketAddr> = LazyLock::new(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a socket for tokio");
        std::thread::spawn(|| serve(listener));
        address
    });
    *ADDRESS
}

#[tokio::main(flavor = "current_thread")]
async fn serve(listener: TcpListener) {
    let recorder = Recorder::new();
    recorder.attach(Nowhere).expect("a thread");
    let tells = async || {
        let mut headers = HeaderMap::new();
        bridge_tower::trace::inject(&mut headers);
        headers
    };
    let service = Router::new()
        .route("/", get(tells))
        .layer(ObserveLayer::new(&recorder));
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
    axum::serve(listener, service).await.expect("it never ends");
}

/// Makes the recorder record.
struct Nowhere;

impl Export for Nowhere {
    fn export(&mut self, _: &Batch<'_>) {}
}

fn headers(pairs: Headers<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        headers.append(name, value);
    }
    headers
}

/// The next service sees the trace that was sent.
fn goes_on(value: &str) {
    let hop = Hop::through(&[(TRACEPARENT, value)]);
    assert_eq!(hop.trace(), TRACE, "{value:?}");
}

/// The next service sees a trace that nobody sent.
fn restarts(value: &str) {
    let sent = [(TRACEPARENT, value)];
    let incoming = w3c::extract(&headers(&sent));
    assert_eq!(incoming, Incoming::default(), "{value:?}");
    assert_ne!(Hop::through(&sent).trace(), TRACE, "{value:?}");
}

fn parent(version: &str, trace: &str, span: &str, flags: &str) -> String {
    format!("{version}-{trace}-{span}-{flags}")
}

fn sampled() -> String {
    parent("00", TRACE, SPAN, "01")
}

// traceparent

#[test]
fn without_headers_a_trace_begins() {
    let hop = Hop::through(&[]);
    assert!(hop.parent.trace() != 0 && hop.parent.span() != 0);
    assert!(hop.state.is_empty());
}

#[test]
fn a_valid_parent_keeps_its_trace_and_gets_a_span_of_ours() {
    let hop = Hop::through(&[(TRACEPARENT, &sampled())]);
    assert_eq!(hop.trace(), TRACE);
    assert_ne!(format!("{:016x}", hop.parent.span()), SPAN);
    assert!(hop.parent.flags().is_sampled());
}

#[test]
fn a_repeated_parent_begins_a_new_trace_even_when_both_say_the_same() {
    let first = parent("00", "12345678901234567890123456789011", SPAN, "01");
    let second = sampled();
    for (one, other) in [(&first, &second), (&second, &second)] {
        let trace = Hop::through(&[(TRACEPARENT, one), (TRACEPARENT, other)]).trace();
        assert!(!one.contains(&trace) && !other.contains(&trace));
    }
}

#[test]
fn a_parent_under_another_name_is_none() {
    for name in ["trace-parent", "trace.parent"] {
        assert_ne!(Hop::through(&[(name, &sampled())]).trace(), TRACE);
    }
}

#[test]
fn the_name_of_the_parent_has_any_case() {
    for name in ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
        assert_eq!(Hop::through(&[(name, &sampled())]).trace(), TRACE);
    }
}

#[test]
fn version_00_has_nothing_behind_its_flags() {
    for more in [".", "-", "-what-the-future-will-be-like", "0"] {
        restarts(&(sampled() + more));
    }
}

#[test]
fn a_later_version_may_have_more_behind_a_dash() {
    for version in ["01", "cc", "fe"] {
        let later = parent(version, TRACE, SPAN, "01");
        goes_on(&later);
        goes_on(&(later.clone() + "-what-the-future-will-be-like"));
        goes_on(&(later.clone() + "-"));
        restarts(&(later.clone() + ".what-the-future-will-be-like"));
        restarts(&(later.clone() + "0"));
        restarts(&later[..later.len() - 1]);
    }
}

#[test]
fn a_later_version_is_told_as_version_00() {
    let later = parent("cc", TRACE, SPAN, "01") + "-more";
    let told = &Hop::through(&[(TRACEPARENT, &later)]).headers[TRACEPARENT];
    assert!(told.as_bytes().starts_with(b"00-1234"));
    assert_eq!(told.len(), 55);
}

#[test]
fn version_ff_is_forbidden() {
    restarts(&parent("ff", TRACE, SPAN, "01"));
    restarts(&(parent("ff", TRACE, SPAN, "01") + "-more"));
}

#[test]
fn a_version_is_two_lower_case_hex_digits() {
    for version in [".0", "0.", "CC", "0x", "000", "0000", "0", ""] {
        restarts(&parent(version, TRACE, SPAN, "01"));
    }
}

#[test]
fn a_trace_id_is_32_lower_case_hex_digits_and_not_zero() {
    for trace in [
        "00000000000000000000000000000000",
        ".2345678901234567890123456789012",
        "1234567890123456789012345678901.",
        "1234567890123456789012345678901A",
        "123456789012345678901234567890123",
        "1234567890123456789012345678901",
        "",
    ] {
        restarts(&parent("00", trace, SPAN, "01"));
        restarts(&parent("cc", trace, SPAN, "01"));
    }
}

#[test]
fn a_parent_id_is_16_lower_case_hex_digits_and_not_zero() {
    for span in [
        "0000000000000000",
        ".234567890123456",
        "123456789012345.",
        "123456789012345F",
        "12345678901234567",
        "123456789012345",
        "",
    ] {
        restarts(&parent("00", TRACE, span, "01"));
        restarts(&parent("cc", TRACE, span, "01"));
    }
}

#[test]
fn flags_are_two_lower_case_hex_digits() {
    for flags in [".0", "0.", "0A", "001", "1", ""] {
        restarts(&parent("00", TRACE, SPAN, flags));
    }
}

#[test]
fn a_parent_that_is_cut_anywhere_is_none() {
    let whole = sampled();
    for end in 0..whole.len() {
        restarts(&whole[..end]);
    }
}

#[test]
fn spaces_and_tabs_around_the_parent_do_not_count() {
    for (before, behind) in [(" ", ""), ("\t", ""), ("", " "), ("", "\t"), ("\t ", " \t")] {
        goes_on(&format!("{before}{}{behind}", sampled()));
    }
    restarts(&sampled().replacen('-', " -", 1));
}

#[test]
fn other_texts_are_no_parent() {
    for other in [
        "",
        "null",
        "undefined",
        "00-",
        "------",
        "00000000000000000000000",
    ] {
        restarts(other);
    }
}

// Flags

#[test]
fn the_sampled_flag_is_a_bit_of_its_own() {
    for (flags, sampled) in [
        ("00", false),
        ("01", true),
        ("02", false),
        ("03", true),
        ("ff", true),
    ] {
        let sent = parent("00", TRACE, SPAN, flags);
        let incoming = w3c::extract(&headers(&[(TRACEPARENT, &sent)]));
        assert_eq!(incoming.sampled(), Some(sampled), "{flags}");
    }
    assert_eq!(w3c::extract(&HeaderMap::new()).sampled(), None);
}

#[test]
fn the_random_flag_goes_on_as_it_came() {
    for (flags, random) in [("00", false), ("01", false), ("02", true), ("03", true)] {
        let hop = Hop::through(&[(TRACEPARENT, &parent("00", TRACE, SPAN, flags))]);
        assert_eq!(hop.parent.flags().is_random(), random, "{flags}");
        assert_eq!(hop.trace(), TRACE);
    }
}

#[test]
fn flags_that_mean_nothing_yet_are_told_as_zero() {
    let hop = Hop::through(&[(TRACEPARENT, &parent("00", TRACE, SPAN, "fd"))]);
    assert!(hop.headers[TRACEPARENT].as_bytes().ends_with(b"-01"));
}

// Several calls

#[test]
fn each_call_has_a_span_of_its_own_whatever_was_sent() {
    let zero = parent("00", "00000000000000000000000000000000", SPAN, "01");
    for (sent, keeps) in [(Some(sampled()), true), (None, false), (Some(zero), false)] {
        let sent: Vec<_> = sent.iter().map(|it| (TRACEPARENT, it.as_str())).collect();
        let hops = [(); 3].map(|()| Hop::through(&sent));
        assert!(hops.iter().all(|it| (it.trace() == TRACE) == keeps));
        let [one, other, third] = hops.map(|it| it.parent.span());
        assert!(one != other && other != third && one != third);
    }
}

// Beside our own header

const OWN: &str = "12345678-9012-3456-7890-123456789012-0198c0de-0000-7000-8000-0000000000cd";

#[test]
fn our_header_tells_the_parent_and_the_other_one_of_the_same_trace_its_flags() {
    let sent = headers(&[
        (TRACEPARENT, &parent("00", TRACE, SPAN, "02")),
        (X_SB_TRACE, OWN),
        (TRACESTATE, "foo=1"),
    ]);
    let incoming = w3c::extract(&sent);
    assert_eq!(incoming.parent, TraceContext::parse(OWN));
    assert_eq!(incoming.flags, Some(TraceFlags::RANDOM));
    assert!(incoming.carried(&sent).and_then(|it| it.state()).is_some());
}

#[test]
fn a_parent_of_another_trace_than_ours_counts_for_nothing() {
    let other = parent("00", "ffffffffffffffffffffffffffffffff", SPAN, "01");
    let sent = headers(&[
        (TRACEPARENT, &other),
        (X_SB_TRACE, OWN),
        (TRACESTATE, "foo=1"),
    ]);
    let incoming = w3c::extract(&sent);
    assert_eq!(incoming.parent, TraceContext::parse(OWN));
    assert_eq!((incoming.flags, incoming.carried(&sent)), (None, None));
}

#[test]
fn our_header_that_is_malformed_leaves_the_other_one_in_force() {
    let incoming = w3c::extract(&headers(&[PARENT, (X_SB_TRACE, "nonsense")]));
    assert_eq!(incoming, w3c::extract(&headers(&[PARENT])));
    assert!(incoming.parent.is_some());
    let repeated = headers(&[(X_SB_TRACE, OWN), (X_SB_TRACE, "nonsense")]);
    assert_eq!(
        w3c::extract(&repeated).parent,
        TraceContext::parse(OWN),
        "the first counts"
    );
}

#[test]
fn both_spellings_are_told_and_replace_what_was_there() {
    let mut told = headers(&[
        (TRACEPARENT, "old"),
        (TRACEPARENT, "older"),
        (X_SB_TRACE, "old"),
        (TRACESTATE, "of=another-trace"),
        ("baggage", "user=1"),
    ]);
    let context = TraceContext::parse(OWN).expect("valid");
    w3c::inject(&mut told, &context, TraceFlags::SAMPLED, None);
    assert_eq!(told[X_SB_TRACE], OWN);
    assert_eq!(
        told[TRACEPARENT],
        parent("00", TRACE, "80000000000000cd", "01")
    );
    assert_eq!(told.get(TRACESTATE), None);
    assert_eq!(told["baggage"], "user=1");
    assert_eq!(told.len(), 3);
    assert_eq!(w3c::extract(&told).parent, Some(context));
}

#[test]
fn baggage_goes_on_with_or_without_a_trace() {
    for sent in [
        &[("baggage", "k=v;p"), ("Baggage", "bad,l=w")][..],
        &[("baggage", "k=v;p,l=w")],
    ] {
        let hop = Hop::through(sent);
        assert_eq!(hop.headers["baggage"], "k=v;p,l=w");
        assert_eq!(hop.headers.get_all("baggage").iter().count(), 1);
    }
}

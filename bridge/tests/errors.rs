//! Business errors, from the enum to the wire and back.
//!
//! Invariant: what comes back is what went, but for what is documented to stay.

use std::error::Error as _;

use bridge::{BusinessError, CallError};

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Place {
    shelf: u32,
}

#[derive(Debug, bridge::Error)]
enum OrderError {
    Closed,
    Declined(String),
    #[bridge(status = 409, message = "{left} of {sku} left")]
    OutOfStock {
        sku: String,
        left: u32,
        place: Option<Place>,
    },
    #[bridge(status = 503, code = "PAYMENTS_DOWN", retryable)]
    Payments(#[source] CallError),
    #[bridge(grpc = "DATA_LOSS")]
    Storage {
        order: String,
        #[source]
        cause: std::io::Error,
    },
    #[bridge(transparent)]
    Call(#[from] CallError),
}

fn travelled(error: &OrderError) -> Option<OrderError> {
    OrderError::from_wire(error.code(), &error.message())
}

#[test]
fn fields_travel_behind_a_text_for_people() {
    let error = OrderError::OutOfStock {
        sku: "A {\"1\"}".into(),
        left: 2,
        place: Some(Place { shelf: 7 }),
    };
    assert_eq!(error.to_string(), "2 of A {\"1\"} left");
    assert!(error.message().starts_with("2 of A {\"1\"} left {\""));
    let Some(OrderError::OutOfStock { sku, left, place }) = travelled(&error) else {
        panic!("it is another error: {}", error.message());
    };
    assert_eq!(
        (sku.as_str(), left, place),
        ("A {\"1\"}", 2, Some(Place { shelf: 7 }))
    );
}

#[test]
fn an_error_that_lost_its_fields_is_no_variant() {
    assert!(OrderError::from_wire("OUT_OF_STOCK", "none left").is_none());
    assert!(OrderError::from_wire("OUT_OF_STOCK", "none {\"sku\":\"A\",\"left\":-1}").is_none());
}

#[test]
fn statuses_and_codes_are_those_given_or_those_that_fit() {
    let failed = || OrderError::Payments(call_error());
    let about = |it: &OrderError| (it.status(), it.grpc(), it.retryable());
    assert_eq!(about(&OrderError::Closed), (422, 9, false));
    assert_eq!(about(&failed()), (503, 14, true));
    assert_eq!(about(&OrderError::from(call_error())), (504, 4, false));
    assert_eq!(failed().code(), "PAYMENTS_DOWN");
    assert_eq!(OrderError::from(call_error()).code(), "TIMEOUT");
    assert_eq!(storage().grpc(), 15);
}

fn storage() -> OrderError {
    let cause = std::io::Error::other("disk on fire");
    OrderError::Storage {
        order: "o-1".into(),
        cause,
    }
}

#[test]
fn a_source_is_kept_and_never_sent() {
    let error = storage();
    assert_eq!(error.to_string(), "storage");
    assert_eq!(error.message(), "storage {\"order\":\"o-1\"}");
    assert_eq!(
        error.source().map(ToString::to_string).as_deref(),
        Some("disk on fire")
    );
    assert!(travelled(&error).is_none(), "its source cannot be made up");
}

#[test]
fn a_failed_call_comes_back_as_the_variant_without_its_reason() {
    let error = OrderError::Payments(call_error());
    assert_eq!(
        error.source().map(ToString::to_string),
        Some(call_error().to_string())
    );
    assert!(!error.message().contains("too slow"));
    let Some(OrderError::Payments(behind)) = travelled(&error) else {
        panic!("it is another error");
    };
    assert!(!behind.retryable());
    assert!(
        behind
            .to_string()
            .contains("known to the called service only"),
        "{behind}"
    );
}

#[test]
fn a_transparent_call_is_its_call_on_both_sides() {
    let error = OrderError::from(call_error());
    assert_eq!(error.to_string(), "too slow");
    let Some(OrderError::Call(call)) = travelled(&error) else {
        panic!("it is another error");
    };
    assert_eq!(
        (call.code(), call.message()),
        (bridge::ErrorCode::Timeout, "too slow")
    );
}

#[test]
fn units_and_texts_travel_as_before() {
    assert!(matches!(
        travelled(&OrderError::Closed),
        Some(OrderError::Closed)
    ));
    let declined = travelled(&OrderError::Declined("no funds {\"x\":1}".into()));
    assert!(matches!(declined, Some(OrderError::Declined(text)) if text == "no funds {\"x\":1}"));
    assert!(OrderError::from_wire("ANOTHER", "").is_none());
}

/// A call's error as another service's transparent variant would bring it.
fn call_error() -> CallError {
    match OrderError::from_wire("TIMEOUT", "too slow") {
        Some(OrderError::Call(call)) => call,
        other => panic!("{other:?} is no failed call"),
    }
}

#[test]
fn a_source_may_be_any_error_on_the_heap() {
    use std::sync::Arc;

    #[derive(Debug, bridge::Error)]
    enum Failed {
        Boxed(#[source] Box<dyn std::error::Error + Send + Sync>),
        Shared {
            order: String,
            #[source]
            cause: Arc<dyn std::error::Error + Send + Sync>,
        },
        Any(#[from] axum::BoxError),
    }
    let cause = || std::io::Error::other("the disk is full");
    for failed in [
        Failed::Boxed(cause().into()),
        Failed::Shared {
            order: "7".into(),
            cause: Arc::new(cause()),
        },
        Failed::from(axum::BoxError::from(cause())),
    ] {
        let source = failed.source().expect("it has one");
        assert_eq!(source.to_string(), "the disk is full");
        assert!(source.is::<std::io::Error>(), "{failed:?}");
    }
}

#[derive(Debug, PartialEq, bridge::Error)]
enum StockError {
    Gone { sku: String },
    Rejected(String),
    Off { ratio: f64, most: Option<f64> },
}

#[test]
fn members_of_a_problem_count_and_what_its_text_says_does_not() {
    let read = |json: &str| bridge::error_of_problem::<StockError>(json.as_bytes());
    let gone = |sku: &str| Some(StockError::Gone { sku: sku.into() });
    let tail = r#"x {\"sku\":\"evil\"}"#;
    let both = format!(r#"{{"code":"GONE","detail":"{tail}","sku":"tea"}}"#);
    assert_eq!(read(&both), gone("tea"));
    let others = format!(r#"{{"code":"GONE","detail":"{tail}","request":"r-1"}}"#);
    assert_eq!(read(&others), None, "no member is its field");
    let alone = format!(r#"{{"code":"GONE","detail":"{tail}","status":422}}"#);
    assert_eq!(read(&alone), gone("evil"), "there is nothing else to read");
    let text = format!(r#"{{"code":"REJECTED","detail":"{tail}","request":"r-1"}}"#);
    let held = StockError::Rejected("x {\"sku\":\"evil\"}".into());
    assert_eq!(
        read(&text),
        Some(held),
        "a text is all of the text and nothing else"
    );
}

#[test]
fn a_number_that_json_cannot_say_is_left_out_and_not_made_up() {
    let most = Some(f64::INFINITY);
    for ratio in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let off = StockError::Off { ratio, most };
        assert_eq!(off.message(), r#"off {"most":null}"#);
        assert_eq!(StockError::from_wire(off.code(), &off.message()), None);
    }
    let ratio = f64::MAX;
    let off = StockError::Off { ratio, most: None };
    let back = StockError::from_wire(off.code(), &off.message());
    assert_eq!(back, Some(off));
}

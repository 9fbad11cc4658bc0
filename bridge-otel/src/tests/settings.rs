//! What is read from the environment, and how a setting that is wrong is named.

use std::time::Duration;

use bridge_tower::Recorder;

use super::collector::{Collector, Service};
use crate::{BuildError, Builder, OtlpExporter};

fn read(variables: &'static [(&'static str, &'static str)]) -> Builder {
    OtlpExporter::builder().read_variables(|name| {
        let found = variables.iter().find(|it| it.0 == name)?;
        Some(found.1.to_owned())
    })
}

fn refused(builder: Builder) -> String {
    match builder.build(&Recorder::new()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("built"),
    }
}

#[tokio::test]
async fn the_environment_says_what_code_does_not() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let endpoint = format!("http://127.0.0.1:{}", collector.port);
    let said = move |name: &str| {
        let value = match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => &endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL" => "http/protobuf",
            "OTEL_EXPORTER_OTLP_HEADERS" => "x-key=env,x-more=a%20b",
            "OTEL_EXPORTER_OTLP_TIMEOUT" => "5000",
            "OTEL_METRIC_EXPORT_INTERVAL" => "1000",
            "OTEL_SERVICE_NAME" => "from-env",
            "OTEL_RESOURCE_ATTRIBUTES" => "service.name=not-this,a=env,b=env",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let otlp = OtlpExporter::builder()
        .header("x-key", "code")
        .attribute("b", "code")
        .clock(&service.clock)
        .read_variables(said)
        .build(&service.recorder)
        .expect("an exporter");
    otlp.check().await.expect("taken");
    let seen = collector.seen().remove(0);
    let headers = seen.head.headers.clone();
    assert_eq!(
        (&headers["x-key"], &headers["x-more"]),
        (
            &"code".parse().expect("a value"),
            &"a b".parse().expect("a value")
        )
    );
    let resource = seen.resource();
    for said in ["service.name=from-env", "a=env", "b=code"] {
        assert!(
            resource.iter().any(|it| it == said),
            "{said} among {resource:?}"
        );
    }
    service.hand.advance(Duration::from_secs(1));
    service.recorder.flush();
    otlp.check().await.expect("taken");
    assert!(
        !collector.metrics().is_empty(),
        "in the rhythm the environment says"
    );
}

#[test]
fn a_setting_that_is_wrong_is_named() {
    for (builder, said) in [
        (
            read(&[("OTEL_EXPORTER_OTLP_TIMEOUT", "ten")]),
            "OTEL_EXPORTER_OTLP_TIMEOUT=`ten` cannot be read: write it like `10000`",
        ),
        (
            read(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]),
            "OTEL_EXPORTER_OTLP_PROTOCOL=`http/json` cannot be read: write it like `http/protobuf` or `grpc`",
        ),
        (
            read(&[("OTEL_EXPORTER_OTLP_HEADERS", "my secret")]),
            "OTEL_EXPORTER_OTLP_HEADERS=`…` cannot be read: write it like `name=value,name=value`",
        ),
        (
            read(&[("OTEL_RESOURCE_ATTRIBUTES", "x")]),
            "OTEL_RESOURCE_ATTRIBUTES=`x` cannot be read: write it like `key=value,key=value`",
        ),
        (
            OtlpExporter::builder().header("a b", "x"),
            "the header `a b` has a name or a value that HTTP does not allow",
        ),
        (
            OtlpExporter::builder()
                .endpoint("https://a")
                .certificate_authority(
                    b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
                ),
            "TLS cannot be set up: ",
        ),
    ] {
        let error = refused(builder);
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let variables = &[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", " "),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", ""),
    ];
    let otlp = read(variables)
        .endpoint("http://127.0.0.1:9")
        .build(&Recorder::new());
    assert!(otlp.is_ok());
    let wrong = refused(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")]));
    assert!(wrong.contains("`collector:4318` has no scheme"), "{wrong}");
}

#[test]
fn keys_do_not_show_in_debug_output() {
    let builder = OtlpExporter::builder().header("x-key", "secret");
    assert!(!format!("{builder:?}").contains("secret"));
    let error = BuildError::Header {
        name: "x".to_owned(),
    };
    assert!(error.to_string().contains("`x`"));
}

//! Who a resource says it is.

use super::attributes::text;
use super::message::{KeyValue, Resource};
use crate::registry::Foreign;

/// The service and process that a resource names. What tells processes apart is the instance id, or
/// host and process id where there is none.
pub(super) fn sender(resource: Option<&Resource>) -> Foreign {
    let attributes = resource.map_or(&[][..], |it| &it.attributes);
    let of = |key: &str| text(attributes, &[key]).to_owned();
    let instance = of("service.instance.id");
    let instance = if instance.is_empty() {
        let pid = super::attributes::number(attributes, &["process.pid"]);
        let pid = pid.map(|it| it.to_string()).unwrap_or_default();
        [of("host.name"), pid].join("/")
    } else {
        instance
    };
    Foreign {
        service: of("service.name"),
        instance,
        sdk: sdk(attributes),
    }
}

/// As `python opentelemetry 1.2.3`.
fn sdk(attributes: &[KeyValue]) -> String {
    const KEYS: [&str; 3] = [
        "telemetry.sdk.language",
        "telemetry.sdk.name",
        "telemetry.sdk.version",
    ];
    let words = KEYS.map(|key| text(attributes, &[key]));
    let words: Vec<&str> = words.into_iter().filter(|it| !it.is_empty()).collect();
    let mut sdk = words.join(" ");
    sdk.truncate(sdk.floor_char_boundary(128));
    sdk
}

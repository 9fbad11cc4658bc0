//! The plain HTTP form of each method: its first `google.api.http` binding, or `POST` to its name.
//!
//! It is the form that the OpenAPI document of the same contract has.

use super::paths::Scope;
use super::text::Text;
use crate::model::{Method, Service};

/// Writes the forms of a service, in the order of its methods.
pub(super) fn render(text: &mut Text, scope: &Scope<'_>, service: &Service) {
    let open = "const FORMS: &'static [::bridge::__rt::JsonForm] = &[";
    text.block(open, "];", |text| {
        for method in &service.methods {
            text.block("::bridge::__rt::JsonForm {", "},", |text| {
                form(text, scope, service, method);
            });
        }
    });
}

fn form(text: &mut Text, scope: &Scope<'_>, service: &Service, method: &Method) {
    for (name, message) in [("input", &method.input), ("output", &method.output)] {
        let message = scope.message(message);
        text.line(format!(
            "{name}: <{message} as ::bridge::__rt::message::Described>::TABLE,"
        ));
    }
    let plain = format!("/{}/{}", service.full_name, method.name);
    // A verb that stands for all of them is none to send.
    let rule = method.http.iter().find(|it| it.method != "*");
    let (verb, path, body, response_body) = match rule {
        None => ("POST", plain.as_str(), "*", ""),
        Some(rule) => (
            rule.method.as_str(),
            rule.path.as_str(),
            rule.body.as_deref().unwrap_or_default(),
            rule.response_body.as_deref().unwrap_or_default(),
        ),
    };
    for (name, value) in [
        ("verb", verb),
        ("path", path),
        ("body", body),
        ("response_body", response_body),
    ] {
        text.line(format!("{name}: {value:?},"));
    }
}

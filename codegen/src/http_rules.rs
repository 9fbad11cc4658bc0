//! Whether the `google.api.http` rules of an rpc fit its messages.
//!
//! Refuses a path that is none, a variable or a body that names no field, a variable that is there
//! twice, one of a field that a path cannot hold (a list, a map, a message), and a body of a GET.
//!
//! Invariant: a rule that passes has a place for each field of the request that it names.

use crate::error::Fault;
use crate::http_path;
use crate::model::{Field, HttpRule, Message, Method, Model};

/// Everything that is wrong with the rules of a method, at the method.
pub(crate) fn faults(model: &Model, method: &Method) -> Vec<Fault> {
    let problems = method
        .http
        .iter()
        .flat_map(|rule| problems(model, method, rule));
    let fault = |problem: String| {
        let text = format!("rpc `{}`: {problem}", method.name);
        method.said.place.fault(text)
    };
    problems.map(fault).collect()
}

fn problems(model: &Model, method: &Method, rule: &HttpRule) -> Vec<String> {
    let mut found = Vec::new();
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if rule.method.is_empty() || !rule.method.chars().all(is_token) {
        found.push(format!("`{}` is no HTTP method", rule.method));
    }
    if ["GET", "HEAD"].contains(&rule.method.as_str()) && rule.body.is_some() {
        found.push(format!(
            "`{}` of `{}` has a body, which such requests have not: leave `body` out, and what the \
             path does not take is in the query",
            rule.method, rule.path
        ));
    }
    let path = match http_path::parse(&rule.path) {
        Ok(path) => path,
        Err(problem) => {
            found.push(problem);
            return found;
        }
    };
    let request = model.messages.get(&method.input);
    let mut taken = Vec::new();
    for variable in &path.variables {
        let name = variable.field.as_str();
        let place = format!("`{name}` in `{}`", rule.path);
        if taken.contains(&name) {
            found.push(format!("{place} is there twice"));
        }
        taken.push(name);
        match request.and_then(|it| field_at(model, it, name)) {
            None => found.push(format!("{place} is no field of the request")),
            Some(field) if !fits_a_path(model, field) => found.push(format!(
                "{place} is a list, a map or a message, which a path cannot hold"
            )),
            Some(_) => {}
        }
    }
    let body = rule.body.as_deref().filter(|it| *it != "*");
    found.extend(body.and_then(|it| unknown(model, &method.input, "body", it)));
    let reply = rule.response_body.as_deref();
    found.extend(reply.and_then(|it| unknown(model, &method.output, "response_body", it)));
    found
}

/// The field at a path with dots, through messages.
pub(crate) fn field_at<'m>(
    model: &'m Model,
    message: &'m Message,
    path: &str,
) -> Option<&'m Field> {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let field = message.fields.iter().find(|it| it.name == name)?;
    if rest.is_empty() {
        return Some(field);
    }
    // Of a list or a map there is no one element to go through.
    let inner = field.message().filter(|_| field.is_singular())?;
    field_at(model, model.messages.get(inner)?, rest)
}

/// Whether a value of it is one text: well-known messages mostly are.
fn fits_a_path(model: &Model, field: &Field) -> bool {
    let message = field.message().and_then(|it| model.messages.get(it));
    field.is_singular() && message.is_none_or(Message::is_well_known)
}

fn unknown(model: &Model, message: &str, what: &str, name: &str) -> Option<String> {
    let side = match what {
        "body" => "request",
        _ => "reply",
    };
    let message = model.messages.get(message)?;
    let is_known = message.fields.iter().any(|it| it.name == name);
    (!is_known).then(|| format!("{what} `{name}` is no field of the {side}"))
}

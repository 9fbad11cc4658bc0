//! HTTP operations for the lock, from an OpenAPI 3 document of whatever made it.
//!
//! Refuses a reference that stands for nothing in the document: what is in another file could change
//! unseen. Invariant: what does not change a request or an answer (texts, examples, order, the names
//! of schemas) does not change the routes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::access::{Access, WAYS_MAX};
use super::canonical::{Unfit, resolved};
use super::entry::Entry;
use super::model::Route;
use super::shape::{At, ENTRIES_MAX, Flattener, without_case, word_of_place};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
const JSON: &str = "application/json";

/// The operations of a document, by `METHOD /path`.
///
/// Judged are the paths of servers, what a request has to bring to be let in with its scopes,
/// parameters, bodies and the bodies of answers. Not judged are hosts and schemes of servers, where
/// OAuth tokens come from and what bearer tokens hold, headers of answers, links, callbacks, webhooks,
/// the encoding of the parts of a form, and texts. A path that moves from a server to the operations,
/// or back, is told as one that is gone.
///
/// # Errors
///
/// When the value is no OpenAPI 3 document, when an operation of it has more than [`ENTRIES_MAX`]
/// values, and when it refers to what is not in the document, with what to do.
pub fn routes(document: &Value) -> Result<BTreeMap<String, Route>, String> {
    let version = document.get("openapi").and_then(Value::as_str);
    if !version.is_some_and(|version| version.starts_with("3.")) {
        return Err("is no OpenAPI 3 document: its `openapi` must start with `3.`".to_owned());
    }
    let Some(paths) = document.get("paths").and_then(Value::as_object) else {
        return Err("has no `paths`: write `\"paths\": {}` if there are none".to_owned());
    };
    let mut found = BTreeMap::new();
    for (path, item) in paths {
        let referred = resolved(document, item)
            .map_err(|unfit| refusal(&format!("a path `{path}`"), unfit))?;
        for method in METHODS {
            let Some(operation) = item.get(method).or_else(|| referred.get(method)) else {
                continue;
            };
            let name = format!("{} {path}", method.to_uppercase());
            let route = route(document, [referred, item, operation])
                .map_err(|unfit| refusal(&format!("an operation `{name}`"), unfit))?;
            found.insert(name, route);
        }
    }
    Ok(found)
}

fn refusal(what: &str, unfit: Unfit) -> String {
    match unfit {
        Unfit::TooLarge => format!(
            "has {what} with more than {ENTRIES_MAX} values, with values too deep inside each other, \
             or with more than {WAYS_MAX} paths of servers or ways in, which no lock holds: leave it \
             out of the document that is compared, or describe less of it"
        ),
        Unfit::NoTarget(reference) => format!(
            "has {what} that refers to `{reference}`, which is not in the document: put it below \
             `components`, or bundle the files into one"
        ),
    }
}

/// An operation, and what the path items around it say of all their operations.
fn route(document: &Value, [referred, item, operation]: [&Value; 3]) -> Result<Route, Unfit> {
    let mut shape = Flattener::new(document);
    parameters(&mut shape, document, [referred, item, operation])?;
    if let Some(body) = operation.get("requestBody") {
        let body = resolved(document, body)?;
        contents(&mut shape, "in.body", body, is_required(body));
    }
    let responses = operation.get("responses").and_then(Value::as_object);
    for (status, response) in responses.into_iter().flatten() {
        let response = resolved(document, response)?;
        contents(&mut shape, &format!("out.{status}"), response, true);
    }
    let mut shape = shape.finish()?;
    for status in responses.into_iter().flatten().map(|(status, _)| status) {
        let place = format!("out.{status}");
        let is_there = shape.keys().any(|it| it.starts_with(&place));
        if !is_there {
            let nothing = Entry {
                ty: "nothing".to_owned(),
                required: true,
                limits: BTreeMap::new(),
            };
            shape.insert(place, nothing);
        }
    }
    let whole = operation;
    let operation = operation.get("operationId").and_then(Value::as_str);
    Ok(Route {
        operation: operation.map(str::to_owned),
        shape,
        access: Some(Access::read(document, [referred, item, whole])?),
    })
}

/// Parameters of the path and of the operation: those of the operation come later and win.
fn parameters<'d>(
    shape: &mut Flattener<'d>,
    document: &'d Value,
    of: [&'d Value; 3],
) -> Result<(), Unfit> {
    let mut found = BTreeMap::new();
    let lists = of.iter().filter_map(|it| it.get("parameters")?.as_array());
    for parameter in lists.flatten() {
        let parameter = resolved(document, parameter)?;
        let text = |key: &str| parameter.get(key).and_then(Value::as_str);
        if let (Some(location), Some(name)) = (text("in"), text("name")) {
            let place = format!("in.{}.{}", word_of_place(location), word_of_place(name));
            found.insert(without_case(&place), (location, parameter));
        }
    }
    for (place, (location, parameter)) in found {
        let contents = parameter.get("content").and_then(Value::as_object);
        let content = contents.and_then(|all| all.iter().next());
        let schema = content.and_then(|(_, it)| it.get("schema"));
        let schema = parameter.get("schema").or(schema);
        shape.value(
            At::new(&place, is_required(parameter)),
            schema.unwrap_or(&Value::Null),
        );
        match content {
            Some((media, _)) => shape.limit(&place, "content", media.clone()),
            None => style(shape, &place, location, parameter),
        }
    }
    Ok(())
}

/// How the text of a parameter is made of its value, where that is not the usual way.
fn style(shape: &mut Flattener<'_>, place: &str, location: &str, parameter: &Value) {
    const FORM: &str = "form";
    let usual = match location {
        "query" | "cookie" => FORM,
        _ => "simple",
    };
    let style = parameter.get("style").and_then(Value::as_str);
    let style = style.unwrap_or(usual);
    if style != usual {
        shape.limit(place, "style", style.to_owned());
    }
    let explode = parameter.get("explode").and_then(Value::as_bool);
    if let Some(explode) = explode.filter(|it| *it != (style == FORM)) {
        shape.limit(place, "explode", explode.to_string());
    }
}

/// The bodies of a request or a response: JSON at the place itself, other forms beside it.
fn contents<'d>(shape: &mut Flattener<'d>, place: &str, of: &'d Value, required: bool) {
    let Some(contents) = of.get("content").and_then(Value::as_object) else {
        return;
    };
    for (media, content) in contents {
        let schema = content.get("schema").unwrap_or(&Value::Null);
        let at = if is_json(media, contents) {
            place.to_owned()
        } else {
            format!("{place}({media})")
        };
        shape.value(At::new(&at, required), schema);
    }
}

/// Whether it is plain JSON, perhaps with a charset, which JSON has only one of. `+json` is not: a
/// `merge-patch+json` is read in another way.
fn is_json(media: &str, all: &Map<String, Value>) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim();
    media == JSON || (essence.eq_ignore_ascii_case(JSON) && !all.contains_key(JSON))
}

fn is_required(of: &Value) -> bool {
    of.get("required").and_then(Value::as_bool) == Some(true)
}

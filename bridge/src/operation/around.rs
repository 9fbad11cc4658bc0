//! What holds around an axum handler, as its document says it: headers of its requests, and answers
//! that the layers around it give. An error that is text, or nothing, is documented as the problem that
//! is made of it and as it is for a client that accepts no problems.
//!
//! Invariant: whatever a request may be answered because of a key or a deadline is there, next to what
//! the handler itself answers with the same status.

use bridge_tower::idempotency::TEXT_BYTES_MAX;
use serde_json::{Map, Value, json};

use super::http::HttpOperation;
use crate::openapi::{Answer, PROBLEM, reference};

/// What is answered because of a key, whatever the handler does.
const OF_KEYS: [(&str, &str); 6] = [
    ("400", "The key is missing or cannot be one."),
    (
        "409",
        "The first request with this key is still being worked on, or its answer was not kept: it was \
         too large, or it streamed.",
    ),
    ("413", "A request with a key has to be smaller."),
    ("422", "The key was used for another request."),
    (
        "503",
        "Nothing was done: what was answered before cannot be looked up now.",
    ),
    ("504", "The work took too long."),
];

/// Headers that are there without anybody setting them for a request: every client and many proxies do.
const OF_THEMSELVES: [&str; 3] = ["forwarded", "host", "x-forwarded-host"];

/// Headers that requests of an operation bring.
pub(super) fn headers(operation: &HttpOperation) -> Vec<Value> {
    let Some(by) = operation.idempotent else {
        return Vec::new();
    };
    let header = |name: &str, description: String| {
        json!({
            "name": name,
            "in": "header",
            "required": by.is_required,
            "description": description,
            "schema": { "type": "string", "minLength": 1, "maxLength": TEXT_BYTES_MAX },
        })
    };
    let mut key =
        String::from("Requests with the same key are one request; repeats get the first answer.");
    if !operation.within.is_empty() {
        let within = operation.within.join(", ");
        key.push_str(&format!(" Keys are unique within: {within}."));
    }
    let mut headers = vec![header(by.header, key)];
    let within = operation.within.iter();
    let within = within.filter(|name| !OF_THEMSELVES.contains(*name));
    headers.extend(within.map(|name| {
        let key = by.header;
        header(
            name,
            format!("`{key}` is unique within it; a request with a key needs it."),
        )
    }));
    headers
}

/// What the handler answers, and what is answered around it.
pub(super) fn responses(operation: &HttpOperation, told: Vec<Answer>) -> Value {
    let problem = |status: &str, description: &str| Answer {
        status: status.to_owned(),
        description: description.to_owned(),
        content: Some(("application/problem+json", reference(PROBLEM))),
        may_be_problem: false,
    };
    let mut answers = Vec::new();
    for answer in told {
        let made = answer
            .may_be_problem
            .then(|| problem(&answer.status, &answer.description));
        answers.push(answer);
        answers.extend(made);
    }
    if answers.is_empty() {
        answers.push(Answer::some());
    }
    if operation.idempotent.is_some() {
        answers.extend(OF_KEYS.map(|(status, description)| problem(status, description)));
    }
    if operation.deadline.is_some() {
        answers.push(problem("504", "The deadline has passed."));
    }
    if answers.iter().all(|it| it.status != "default") {
        answers.push(problem("default", "The request failed."));
    }
    let mut responses = Map::new();
    for answer in answers {
        match responses.get_mut(&answer.status) {
            None => {
                let mut response = json!({ "description": answer.description });
                if let Some((media, schema)) = answer.content {
                    response["content"] = json!({ media: { "schema": schema } });
                }
                responses.insert(answer.status, response);
            }
            Some(response) => also(response, answer),
        }
    }
    if operation.idempotent.is_some() {
        for response in responses.values_mut() {
            response["headers"] = words_of_keys();
        }
    }
    responses.into()
}

/// Another answer of a status that one has already.
fn also(response: &mut Value, answer: Answer) {
    if let Value::String(text) = &mut response["description"]
        && !text.split('\n').any(|it| it == answer.description)
    {
        text.push('\n');
        text.push_str(&answer.description);
    }
    let Some((media, schema)) = answer.content else {
        return;
    };
    let known = response["content"]
        .get(media)
        .map(|it| it["schema"].clone());
    let both = match known {
        Some(known) if known != schema => json!({ "anyOf": [known, schema] }),
        _ => schema,
    };
    response["content"][media] = json!({ "schema": both });
}

/// What an answer says of its key.
fn words_of_keys() -> Value {
    let header = |description: &str, words: &[&str]| json!({ "description": description, "schema": { "type": "string", "enum": words } });
    json!({
        "Idempotency-Replayed": header(
            "There when this is the answer to an earlier request with the same key.",
            &["true"],
        ),
        "Idempotency-Stored": header(
            "There when repeats will not get this answer, or only later.",
            &["false", "later"],
        ),
    })
}

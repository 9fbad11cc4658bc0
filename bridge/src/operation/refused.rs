//! Why an application, or its document, is refused: what was said about handlers of which it cannot be
//! told where they are.
//!
//! Invariant: each sentence names the handlers, where they are defined, the routes, and what to write.

use bridge_tower::record::Verb;
use bridge_tower::routes::{Ambiguous, Audit, Declared, Doubt};
use http::Method;

use super::http::HttpOperation;
use super::id::OperationId;

/// An operation as audits know it.
pub(super) fn declaration(operation: &HttpOperation) -> Declared {
    Declared {
        path: operation.id.name.to_owned(),
        verb: Verb::from(&method_of(operation)),
        operation: operation.name.to_owned(),
    }
}

/// The macro wrote it, so it is one.
pub(super) fn method_of(operation: &HttpOperation) -> Method {
    Method::from_bytes(operation.id.verb.as_bytes()).unwrap_or_default()
}

/// Whether something was said that has to hold for its requests.
pub(super) fn is_promise(operation: &HttpOperation) -> bool {
    operation.deadline.is_some() || operation.idempotent.is_some()
}

/// What was said and cannot hold, because it cannot be told for which requests: a sentence for each
/// set of operations that may be one another.
pub(super) fn refusals(operations: &[HttpOperation], audit: &Audit) -> Vec<String> {
    let mut told: Vec<Vec<OperationId>> = Vec::new();
    let mut refused: Vec<_> = operations
        .iter()
        .filter_map(|it| unseen(it, audit))
        .collect();
    for ambiguous in &audit.ambiguous {
        let meant = meant(operations, ambiguous);
        let ids: Vec<_> = meant.iter().map(|it| it.id).collect();
        if !meant.iter().any(|it| is_promise(it)) || told.contains(&ids) {
            continue;
        }
        refused.push(refusal(&meant, ambiguous));
        told.push(ids);
    }
    refused
}

/// The operations that an ambiguous declaration is, or may be taken for.
fn meant<'o>(operations: &'o [HttpOperation], ambiguous: &Ambiguous) -> Vec<&'o HttpOperation> {
    let others = match &ambiguous.doubt {
        Doubt::Shared(with) => with.as_slice(),
        _ => &[],
    };
    let is_meant = |it: &&HttpOperation| {
        let declared = declaration(it);
        declared == ambiguous.declared || others.contains(&declared)
    };
    operations.iter().filter(is_meant).collect()
}

/// `` `list` (shop::list, GET /orders) ``
fn named(operation: &HttpOperation) -> String {
    let OperationId { verb, name, site } = operation.id;
    format!("`{}` ({site}, {verb} {name})", operation.name)
}

/// Why what was said about an operation cannot hold that is mounted nowhere, unless out of sight.
fn unseen(operation: &HttpOperation, audit: &Audit) -> Option<String> {
    let declared = declaration(operation);
    let mut missing = audit.declared_not_mounted.iter();
    let missing = missing.find(|it| it.declared == declared)?;
    if !is_promise(operation) || missing.hidden_in.is_empty() {
        return None;
    }
    Some(format!(
        "{} is mounted nowhere that can be seen, and may be inside of the service at {}, where its \
         deadline or key cannot hold; nest its router with `nest`, or take it out of the list if it is \
         not mounted",
        named(operation),
        missing.hidden_in.join(" or ")
    ))
}

/// Why what was said about these operations cannot hold.
fn refusal(meant: &[&HttpOperation], ambiguous: &Ambiguous) -> String {
    let who = meant.iter().map(|it| named(it));
    let who = who.collect::<Vec<_>>().join(" and ");
    let routes = ambiguous.routes();
    match ambiguous.doubt {
        Doubt::Several => format!(
            "{who} may be mounted at {routes}: `/` alone is the end of every path, so it cannot be \
             told where its deadline or key holds; write the whole path in its attribute, with what \
             it is nested below"
        ),
        Doubt::Hidden => format!(
            "{who} would be inside of the service at {routes}, whose own routes cannot be seen, so \
             its deadline or key cannot hold; nest its router with `nest`, or take them out of its \
             attribute"
        ),
        _ => format!(
            "{who} may each be what is mounted at {routes}, so it cannot be told whose deadline or \
             key holds there; write the whole path in the attribute of each, with what it is nested \
             below, or take out of the list what is not mounted"
        ),
    }
}

/// Why there can be no document: a sentence for each operation of which it cannot be told where it is.
#[cfg(feature = "openapi")]
pub(super) fn untold(operations: &[HttpOperation], audit: &Audit) -> Vec<String> {
    let untold = operations.iter().filter_map(|it| {
        let declared = declaration(it);
        let mut ambiguous = audit.ambiguous.iter();
        let ambiguous = ambiguous.find(|it| it.declared == declared)?;
        let todo = match ambiguous.doubt {
            Doubt::Hidden => {
                "a service whose own routes cannot be seen: nest its router with `nest`"
            }
            _ => "write the whole path in its attribute, with what it is nested below",
        };
        Some(format!(
            "{} {ambiguous}; {todo}, or take it out of the list if it is not mounted",
            named(it)
        ))
    });
    untold.collect()
}

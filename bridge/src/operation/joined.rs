//! Declared axum handlers meet the router they are mounted in.
//!
//! A handler knows the path it was annotated with; where routers around it add to that is told by
//! the audit, which joins both. What was said about the handler then holds for the route.
//!
//! It refuses to let go of a promise in silence: a deadline or a key that may be another handler's, or
//! of a handler that may be where nobody can see it, is an error. One of which only the end of the path
//! is known holds wherever that end is.
//!
//! Invariant: what was said about a handler that is mounted either holds for its requests, or the
//! application is refused.

use std::collections::HashMap;
use std::fmt;

use bridge_tower::Observed;
use bridge_tower::app::RoutePolicy;
use bridge_tower::idempotency::KeyHeader;
use bridge_tower::record::{Kind, Verb};
use bridge_tower::routes::{Audit, Declared, RouteTable};
use http::HeaderName;

#[cfg(feature = "openapi")]
use super::document::{OpenApi, OpenApiError, document};
use super::http::HttpOperation;
#[cfg(feature = "openapi")]
use super::refused::untold;
use super::refused::{declaration, is_promise, method_of, refusals};

/// Why an application cannot keep what was said about its handlers: a sentence for each case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused(Vec<String>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// All that was said about an application; kept beside it, so that more can be said.
#[derive(Clone, Debug)]
struct Said(Vec<HttpOperation>);

/// The operations that were declared of an application.
#[cfg(feature = "mesh")]
pub(super) fn said(app: &Observed) -> &[HttpOperation] {
    app.beside::<Said>().map_or(&[], |it| &it.0)
}

/// Adds to a list what is not in it.
pub(super) fn add(all: &mut Vec<HttpOperation>, more: impl IntoIterator<Item = HttpOperation>) {
    for operation in more {
        if !all.iter().any(|it| is_same(it, &operation)) {
            all.push(operation);
        }
    }
}

/// Whether both are the same handler, of which the same was said.
fn is_same(left: &HttpOperation, right: &HttpOperation) -> bool {
    let said = |it: &HttpOperation| (it.id, it.name, it.deadline, it.idempotent);
    said(left) == said(right) && left.within == right.within
}

/// The same application, where requests of these operations, and of those that were declared
/// before, have the deadline and are done once as was said.
pub(crate) fn declared_in(app: Observed, more: &[HttpOperation]) -> Result<Observed, Refused> {
    if more.is_empty() {
        return Ok(app);
    }
    let mut operations = app
        .beside::<Said>()
        .map_or_else(Vec::new, |it| it.0.clone());
    add(&mut operations, more.iter().cloned());
    let audit = audit_of(&operations, app.routes());
    let refused = refusals(&operations, &audit);
    if !refused.is_empty() {
        return Err(Refused(refused));
    }
    warn(&operations, &audit);
    let policies = policies(&operations, &audit);
    Ok(app.operations(policies).keep_beside(Said(operations)))
}

fn warn(operations: &[HttpOperation], audit: &Audit) {
    for missing in &audit.declared_not_mounted {
        let (operation, declared) = shown(&missing.declared);
        tracing::warn!("{operation} is declared at {declared}, which is not mounted");
    }
    let promises = operations.iter().filter(|it| is_promise(it));
    warn_of_others(&promises.map(declaration).collect::<Vec<_>>(), audit);
}

/// Warns where another route ends like one with a promise.
fn warn_of_others(promises: &[Declared], audit: &Audit) {
    let apart = audit.declared_and_mounted.iter();
    for joined in apart.filter(|it| !it.elsewhere.is_empty() && promises.contains(&it.declared)) {
        tracing::warn!(
            "what is said about `{}` holds at {}, which is its whole path, and not at {}, which nobody \
             declares",
            joined.declared.operation,
            joined.path,
            joined.elsewhere.join(", ")
        );
    }
    for ambiguous in &audit.ambiguous {
        let (operation, declared) = shown(&ambiguous.declared);
        tracing::warn!(
            "{operation} is declared at {declared}, which {ambiguous}; write the whole path"
        );
    }
    for declared in promises {
        let places = places(audit, declared);
        if places.len() > 1 {
            let (operation, declared) = shown(declared);
            tracing::info!(
                "what is said about {operation} at {declared} holds at {}",
                places.join(", ")
            );
        }
    }
}

/// `` `list` `` and `GET /orders`.
fn shown(declared: &Declared) -> (String, String) {
    let Declared {
        path,
        verb,
        operation,
    } = declared;
    (
        format!("`{operation}`"),
        format!("{} {path}", verb.as_str()),
    )
}

/// The routes that an operation is mounted at.
fn places<'a>(audit: &'a Audit, declared: &Declared) -> Vec<&'a str> {
    let joined = audit.declared_and_mounted.iter();
    let joined = joined.filter(|it| it.declared == *declared);
    joined.map(|it| &*it.path).collect()
}

/// What is declared, compared with what `table` has mounted.
pub(crate) fn audit_of(operations: &[HttpOperation], table: &RouteTable) -> Audit {
    Audit::of(&declarations(operations), table, None)
}

/// What is declared and mounted in `table`, as a document.
#[cfg(feature = "openapi")]
pub(crate) fn document_of(
    operations: &[HttpOperation],
    table: &RouteTable,
) -> Result<OpenApi, OpenApiError> {
    document_by(operations, &audit_of(operations, table))
}

/// The same, where both were compared already.
#[cfg(feature = "openapi")]
pub(super) fn document_by(
    operations: &[HttpOperation],
    audit: &Audit,
) -> Result<OpenApi, OpenApiError> {
    let untold = untold(operations, audit);
    if !untold.is_empty() {
        return Err(OpenApiError { faults: untold });
    }
    document(operations, |it| places(audit, &declaration(it)))
}

/// The same, with what was called so far.
pub(crate) fn audit_of_called(operations: &[HttpOperation], app: &Observed) -> Audit {
    let table = app.routes();
    let numbers: HashMap<&str, u32> = table.templates().zip(0..).collect();
    let mut counts: HashMap<(u32, Verb), u64> = HashMap::new();
    for series in app.recorder().totals() {
        let is_served = series.key.route.kind() == Kind::Server;
        let route = series.route.as_deref().filter(|_| is_served);
        if let Some(number) = route.and_then(|it| numbers.get(it)) {
            *counts.entry((*number, series.key.verb)).or_default() += series.total.count;
        }
    }
    let called = |route, verb| counts.get(&(route, verb)).copied().unwrap_or_default();
    Audit::of(&declarations(operations), table, Some(&called))
}

fn declarations(operations: &[HttpOperation]) -> Vec<Declared> {
    operations.iter().map(declaration).collect()
}

/// What holds where: at each route that an operation may be mounted at.
fn policies(operations: &[HttpOperation], audit: &Audit) -> Vec<RoutePolicy> {
    let mut policies = Vec::new();
    for operation in operations.iter().filter(|it| is_promise(it)) {
        let places = places(audit, &declaration(operation));
        policies.extend(places.into_iter().map(|path| policy(operation, path)));
    }
    policies
}

fn policy(operation: &HttpOperation, path: &str) -> RoutePolicy {
    RoutePolicy {
        method: method_of(operation),
        path: path.into(),
        deadline: operation.deadline,
        idempotency: operation.idempotent.and_then(|it| {
            let named = |name: &str| HeaderName::from_bytes(name.as_bytes()).ok();
            let mut key = KeyHeader::named(named(it.header)?).keep(it.keep);
            for within in &operation.within {
                key = key.scoped_by(named(within)?);
            }
            Some(if it.is_required { key.required() } else { key })
        }),
    }
}

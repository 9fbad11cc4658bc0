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
use bridge_tower::routes::{Ambiguous, Audit, Declared, Doubt, RouteTable};
use http::{HeaderName, Method};

#[cfg(feature = "openapi")]
use super::document::{OpenApi, OpenApiError, document};
use super::http::HttpOperation;
use super::id::OperationId;

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

/// Whether something was said that has to hold for its requests.
fn is_promise(operation: &HttpOperation) -> bool {
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
fn untold(operations: &[HttpOperation], audit: &Audit) -> Vec<String> {
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

fn declaration(operation: &HttpOperation) -> Declared {
    Declared {
        path: operation.id.name.to_owned(),
        verb: Verb::from(&method_of(operation)),
        operation: operation.name.to_owned(),
    }
}

/// The macro wrote it, so it is one.
fn method_of(operation: &HttpOperation) -> Method {
    Method::from_bytes(operation.id.verb.as_bytes()).unwrap_or_default()
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

//! Declared axum handlers meet the router they are mounted in.
//!
//! A handler knows the path it was annotated with; where routers around it add to that is told by
//! the audit, which joins both. What was said about the handler then holds for the route.
//!
//! Invariant: what was said about a handler either holds for its requests, or a warning says why it
//! does not.

use std::collections::HashMap;

use bridge_tower::Observed;
use bridge_tower::app::RoutePolicy;
use bridge_tower::idempotency::KeyHeader;
use bridge_tower::record::{Kind, Verb};
use bridge_tower::routes::{Audit, Declared, RouteTable};
use http::{HeaderName, Method};

#[cfg(feature = "openapi")]
use super::document::{OpenApi, OpenApiError, document};
use super::http::HttpOperation;

/// The same application, where requests of these operations have the deadline and are done once as
/// was said.
pub(crate) fn declared_in(app: Observed, operations: &[HttpOperation]) -> Observed {
    if operations.is_empty() {
        return app;
    }
    let audit = audit_of(operations, app.routes());
    for missing in &audit.declared_not_mounted {
        let Declared {
            path,
            verb,
            operation,
        } = &missing.declared;
        tracing::warn!(
            "`{operation}` is declared at {} {path}, which is not mounted",
            verb.as_str()
        );
    }
    for ambiguous in &audit.ambiguous {
        let Declared {
            path,
            verb,
            operation,
        } = &ambiguous.declared;
        tracing::warn!(
            candidates = ambiguous.candidates.join(", "),
            "`{operation}` is declared at {} {path}, which may be several routes; write the whole path",
            verb.as_str()
        );
    }
    app.operations(policies(operations, &audit))
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
    document(operations, &audit_of(operations, table))
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

fn policies(operations: &[HttpOperation], audit: &Audit) -> Vec<RoutePolicy> {
    let mut policies = Vec::new();
    for operation in operations {
        let declared = declaration(operation);
        let mut joined = audit.declared_and_mounted.iter();
        let Some(joined) = joined.find(|it| it.declared == declared) else {
            continue;
        };
        let policy = RoutePolicy {
            method: method_of(operation),
            path: joined.path.as_str().into(),
            deadline: operation.deadline,
            idempotency: operation.idempotent.and_then(|it| {
                let header = HeaderName::from_bytes(it.header.as_bytes()).ok()?;
                let key = KeyHeader::named(header).keep(it.keep);
                Some(if it.is_required { key.required() } else { key })
            }),
        };
        if policy.deadline.is_some() || policy.idempotency.is_some() {
            policies.push(policy);
        }
    }
    policies
}

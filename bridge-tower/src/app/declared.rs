//! What declared operations want of their requests: a deadline, a key.
//!
//! Looked up by the number of the route that a request takes anyway, so a request of another
//! route costs one look at a table, and nothing is allocated.

use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, Method, Request};

use crate::deadline::RouteDeadline;
use crate::idempotency::{KeyHeader, RouteKey};
use crate::record::Verb;
use crate::routes::{Matcher, RouteTable};

/// What one declared operation wants of its requests.
///
/// ```
/// use std::time::Duration;
/// use bridge_tower::app::RoutePolicy;
/// use bridge_tower::idempotency::KeyHeader;
/// use http::Method;
///
/// let policy = RoutePolicy {
///     method: Method::POST,
///     path: "/v1/orders/{id}/payments".into(), // as it is mounted, nesting included
///     deadline: Some(Duration::from_secs(2)),
///     idempotency: Some(KeyHeader::standard().required()),
/// };
/// # let _ = policy;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePolicy {
    /// Its method.
    pub method: Method,
    /// The template it is mounted at, as axum's `MatchedPath` has it.
    pub path: Box<str>,
    /// Time its requests have until they are answered, if they do not ask for less. They cannot ask
    /// for more. A body that is streamed may go on, unless the layer's deadline covers bodies.
    pub deadline: Option<Duration>,
    /// How its requests say their key, if they are done once.
    pub idempotency: Option<KeyHeader>,
}

/// What is put into the request of an operation, for the layers inside.
#[derive(Clone, Debug, Default)]
pub(super) struct Wants {
    pub(super) deadline: Option<RouteDeadline>,
    pub(super) key: Option<RouteKey>,
}

/// Declared operations, by the number of their route.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    /// `None` when the router's own table numbers the routes.
    matcher: Option<Matcher>,
    by_route: Vec<Vec<(Method, Arc<Wants>)>>,
}

impl Wants {
    /// Tells the layers inside.
    fn put_into(&self, extensions: &mut Extensions) {
        if let Some(deadline) = self.deadline {
            extensions.insert(deadline);
        }
        if let Some(key) = &self.key {
            extensions.insert(key.clone());
        }
    }
}

impl RoutePolicy {
    fn wants(&self) -> Wants {
        let operation = || format!("{} {}", self.method, self.path).into();
        Wants {
            deadline: self.deadline.map(RouteDeadline),
            key: self.idempotency.as_ref().map(|header| RouteKey {
                operation: operation(),
                header: header.clone(),
            }),
        }
    }
}

impl Declared {
    /// The `policies` of the routes of `table`; without one, of the paths they name.
    pub(super) fn new(table: Option<&RouteTable>, policies: &[RoutePolicy]) -> Self {
        let mut paths: Vec<&str> = match table {
            Some(table) => table.templates().collect(),
            None => policies.iter().map(|it| &*it.path).collect(),
        };
        let mut declared = Self::default();
        if table.is_none() {
            paths.sort_unstable();
            paths.dedup();
            let numbered = (0..).zip(&paths).map(|(at, path)| ((*path).to_owned(), at));
            match Matcher::new(numbered) {
                Ok(matcher) => declared.matcher = Some(matcher),
                Err(reason) => {
                    tracing::warn!(%reason, "no declared operation has its deadline or its key");
                    return declared;
                }
            }
        }
        declared.by_route.resize(paths.len(), Vec::new());
        for policy in policies {
            let Some(at) = paths.iter().position(|path| **path == *policy.path) else {
                let (method, path) = (&policy.method, &*policy.path);
                tracing::warn!(%method, path, "a declared operation is not mounted");
                continue;
            };
            if policy.deadline.is_some() || policy.idempotency.is_some() {
                let wants = Arc::new(policy.wants());
                declared.by_route[at].push((policy.method.clone(), wants));
            }
        }
        for (at, operations) in declared.by_route.iter_mut().enumerate() {
            let methods = table.map(|it| it.routes()[at].methods);
            if !methods.is_some_and(|it| it.contains(Verb::Head)) {
                tell_heads(operations);
            }
        }
        declared
    }

    /// Whether any operation wants something.
    pub(super) fn is_empty(&self) -> bool {
        self.by_route.iter().all(Vec::is_empty)
    }

    /// Whether any operation is to be done once.
    pub(super) fn has_keys(&self) -> bool {
        let mut wants = self.by_route.iter().flatten().map(|(_, wants)| wants);
        wants.any(|it| it.key.is_some())
    }

    /// Tells the layers inside what the operation wants whose request took the route `at` of the
    /// router's table; whether it wants anything.
    ///
    /// Out of line: programs that declare nothing pay for one look at an `Option`.
    #[inline(never)]
    pub(super) fn tell<B>(&self, request: &mut Request<B>, at: Option<u32>) -> bool {
        let wants = self.wants(request.method(), request.uri().path(), at);
        let Some(wants) = wants else {
            return false;
        };
        wants.put_into(request.extensions_mut());
        true
    }

    pub(super) fn wants(
        &self,
        method: &Method,
        path: &str,
        at: Option<u32>,
    ) -> Option<&Arc<Wants>> {
        let at = match &self.matcher {
            None => at?,
            Some(matcher) => matcher.find(path)?,
        };
        let operations = self.by_route.get(usize::try_from(at).ok()?)?;
        let found = operations.iter().find(|(declared, _)| declared == method);
        found.map(|(_, wants)| wants)
    }
}

/// Says of a route without a handler for `HEAD` that its requests have the deadline of `GET`, whose
/// handler answers them. They have no key: what is kept of an answer has a body.
fn tell_heads(operations: &mut Vec<(Method, Arc<Wants>)>) {
    let of = |method: Method| operations.iter().find(|(declared, _)| *declared == method);
    let (None, Some((_, get))) = (of(Method::HEAD), of(Method::GET)) else {
        return;
    };
    if let Some(deadline) = get.deadline {
        let wants = Wants {
            deadline: Some(deadline),
            key: None,
        };
        operations.push((Method::HEAD, Arc::new(wants)));
    }
}

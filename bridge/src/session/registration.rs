//! What this process tells the runtime about itself.
//!
//! Invariant: whatever is declared here is something the runtime takes. One row it refuses would
//! end the session for good, so what exceeds its limits is left out and said in the log instead.

use std::collections::HashSet;

use contract::grpc::v1::{IncomingMethod, MethodType, OutgoingDep, RegisterRequest};

use super::{PROTOCOL_VERSION, SDK_LANGUAGE};
use crate::handler::OperationDef;
use crate::registry::Dependency;

/// Longest name of anything that is declared, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// HTTP routes of one process that are declared.
const HTTP_ROUTES_MAX: usize = 4_096;
/// Routes of other HTTP services that a process declares to call.
const HTTP_DEPENDENCIES_MAX: usize = 1_024;

/// The whole declaration; it is sent anew whenever it changes and replaces the earlier one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registration {
    /// Grows with every change, so that one can wait for the runtime's answer to it.
    pub(crate) version: u64,
    pub(crate) request: RegisterRequest,
    /// Rows of handlers; those of HTTP routes follow them.
    handlers: Vec<IncomingMethod>,
    servers: Vec<HttpServer>,
    last_server: u64,
}

/// An HTTP server of this process.
#[derive(Clone, Debug)]
struct HttpServer {
    id: u64,
    /// `host:port`
    endpoint: String,
    /// `GET /orders/{id}`
    routes: Vec<String>,
}

impl Registration {
    pub(crate) fn new(incoming: Vec<IncomingMethod>, outgoing: &[Dependency]) -> Self {
        let mut deps: Vec<OutgoingDep> = Vec::with_capacity(outgoing.len());
        for dependency in outgoing {
            let dep = OutgoingDep {
                service_name: dependency.service.to_string(),
                method_name: dependency.method.name.to_owned(),
                r#type: MethodType::Rpc as i32,
            };
            if !deps.contains(&dep) {
                deps.push(dep);
            }
        }
        let request = RegisterRequest {
            incoming: incoming.clone(),
            outgoing: deps,
            protocol_version: PROTOCOL_VERSION,
            sdk_language: SDK_LANGUAGE.to_owned(),
            sdk_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..RegisterRequest::default()
        };
        Self {
            version: 1,
            request,
            handlers: incoming,
            servers: Vec::new(),
            last_server: 0,
        }
    }

    /// Changes the declaration and returns its new version.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut RegisterRequest)) -> u64 {
        change(&mut self.request);
        self.version += 1;
        self.version
    }

    /// Declares an HTTP server with its routes. Returns what names it here.
    pub(crate) fn serve_http(
        &mut self,
        endpoint: String,
        routes: impl IntoIterator<Item = String>,
    ) -> u64 {
        self.last_server += 1;
        self.servers.push(HttpServer {
            id: self.last_server,
            endpoint,
            routes: routes.into_iter().collect(),
        });
        self.rebuild_http();
        self.last_server
    }

    /// Takes an HTTP server out. Returns whether it was there.
    pub(crate) fn leave_http(&mut self, server: u64) -> bool {
        let before = self.servers.len();
        self.servers.retain(|it| it.id != server);
        let was_there = self.servers.len() < before;
        if was_there {
            self.rebuild_http();
        }
        was_there
    }

    /// Rows in the order of first insertion, each once. Of several servers the first one's
    /// endpoint is told, the contract has room for one.
    fn rebuild_http(&mut self) {
        let mut seen = HashSet::new();
        let all = self.servers.iter().flat_map(|it| &it.routes);
        let mut routes: Vec<_> = all.filter(|it| seen.insert(it.as_str())).collect();
        let found = routes.len();
        routes.retain(|it| it.len() <= NAME_BYTES_MAX);
        routes.truncate(HTTP_ROUTES_MAX);
        if routes.len() < found {
            let left_out = found - routes.len();
            tracing::warn!(
                left_out,
                "HTTP routes are not registered: names over {NAME_BYTES_MAX} bytes, or more than {HTTP_ROUTES_MAX}"
            );
        }
        let rows = routes.into_iter().map(|name| IncomingMethod {
            r#type: MethodType::Http as i32,
            name: name.clone(),
            ..IncomingMethod::default()
        });
        let incoming = self.handlers.iter().cloned().chain(rows).collect();
        let first = self.servers.first();
        let endpoint = first.map(|it| it.endpoint.clone()).unwrap_or_default();
        self.change(|request| {
            request.incoming = incoming;
            request.http_endpoint = endpoint;
        });
    }

    /// Declares that `route` (`GET /users/{id}`) of the HTTP service `service` is called. Returns
    /// whether that is new.
    pub(crate) fn depend_on_http(&mut self, service: &str, route: &str) -> bool {
        let dep = OutgoingDep {
            service_name: service.to_owned(),
            method_name: route.to_owned(),
            r#type: MethodType::Http as i32,
        };
        if self.request.outgoing.contains(&dep) {
            return false;
        }
        let is_named = |text: &str| !text.is_empty() && text.len() <= NAME_BYTES_MAX;
        let http = self.request.outgoing.iter();
        let known = http.filter(|it| it.r#type == dep.r#type).count();
        if !is_named(service) || !is_named(route) || known >= HTTP_DEPENDENCIES_MAX {
            tracing::warn!(
                service,
                route,
                "HTTP dependency is not registered: names have 1 to {NAME_BYTES_MAX} bytes, and at most {HTTP_DEPENDENCIES_MAX} are kept"
            );
            return false;
        }
        self.change(|request| request.outgoing.push(dep));
        true
    }
}

/// The row of one handler.
pub(crate) fn incoming(operation: &OperationDef) -> IncomingMethod {
    IncomingMethod {
        r#type: MethodType::Rpc as i32,
        name: operation.meta.name.to_owned(),
        input_schema_json: operation.meta.input_schema.as_bytes().to_vec(),
        output_schema_json: operation.meta.output_schema.as_bytes().to_vec(),
        streaming: operation.meta.streaming,
        contract_hash: operation.meta.contract_hash.to_owned(),
        ..IncomingMethod::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(registration: &Registration) -> Vec<&str> {
        let incoming = registration.request.incoming.iter();
        incoming.map(|it| &*it.name).collect()
    }

    fn rpc(name: &str) -> IncomingMethod {
        IncomingMethod {
            r#type: MethodType::Rpc as i32,
            name: name.to_owned(),
            ..IncomingMethod::default()
        }
    }

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn routes_follow_the_handlers_each_once_and_leave_with_their_server() {
        let mut registration = Registration::new(vec![rpc("Charge")], &[]);
        let first = registration.serve_http("a:1".into(), texts(&["GET /x", "POST /x", "GET /x"]));
        let second = registration.serve_http("b:2".into(), texts(&["GET /y", "GET /x"]));
        assert_eq!(
            names(&registration),
            ["Charge", "GET /x", "POST /x", "GET /y"]
        );
        assert_eq!(registration.request.http_endpoint, "a:1");
        let row = &registration.request.incoming[1];
        assert_eq!(row.r#type, MethodType::Http as i32);
        assert!(row.contract_hash.is_empty() && row.input_schema_json.is_empty());
        let version = registration.version;
        assert!(registration.leave_http(first));
        assert!(!registration.leave_http(first));
        assert_eq!(registration.version, version + 1);
        assert_eq!(names(&registration), ["Charge", "GET /y", "GET /x"]);
        assert_eq!(registration.request.http_endpoint, "b:2");
        registration.leave_http(second);
        assert_eq!(names(&registration), ["Charge"]);
        assert_eq!(registration.request.http_endpoint, "");
    }

    #[test]
    fn what_the_runtime_would_refuse_is_left_out() {
        let mut registration = Registration::new(Vec::new(), &[]);
        let long = format!("GET /{}", "x".repeat(NAME_BYTES_MAX));
        let many = (0..HTTP_ROUTES_MAX + 5).map(|it| format!("GET /{it}"));
        registration.serve_http("a:1".into(), std::iter::once(long.clone()).chain(many));
        assert_eq!(names(&registration).len(), HTTP_ROUTES_MAX);
        assert!(!registration.depend_on_http("users", &long));
        assert!(!registration.depend_on_http("", "GET /x"));
        for number in 0..HTTP_DEPENDENCIES_MAX {
            assert!(registration.depend_on_http("users", &format!("GET /{number}")));
        }
        assert!(!registration.depend_on_http("users", "GET /one-more"));
        assert!(!registration.depend_on_http("users", "GET /0"), "known");
    }
}

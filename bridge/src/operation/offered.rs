//! The axum handlers that a bridge was given, and the values their requests bring along.

use std::sync::Arc;

use bridge_tower::Observed;

use super::client::Provided;
use super::http::HttpOperation;
use super::joined::{Refused, declared_in, said};
use crate::handler::States;

/// The axum handlers of a bridge, and the values its requests bring along.
#[derive(Debug, Default)]
pub(crate) struct Offered {
    operations: Vec<HttpOperation>,
    /// `None` where no handler asks for one.
    provided: Option<Provided>,
}

impl Offered {
    pub(crate) fn new(operations: Vec<HttpOperation>, states: States) -> Self {
        let asks = operations.iter().any(|it| !it.calls.is_empty());
        Self {
            operations,
            provided: asks.then(|| Provided(Arc::new(states))),
        }
    }

    /// Makes what was said about the handlers hold for the routes of `app`.
    pub(crate) fn apply(&self, app: Observed) -> Result<Observed, Refused> {
        for operation in self.forgotten(&app) {
            tracing::warn!(
                "`{}` ({}) asks for a client and is not in `.serve(handlers![…])` of the bridge: its \
                 requests are answered 500, unless the application gives them one by `.provide(…)`",
                operation.name,
                operation.id.site
            );
        }
        let app = declared_in(app, &self.operations)?;
        Ok(match &self.provided {
            Some(provided) => app.provide(provided.clone()),
            None => app,
        })
    }
}

impl Offered {
    /// What was declared of `app`, asks for a client, and was not given to the bridge.
    fn forgotten<'a>(&'a self, app: &'a Observed) -> impl Iterator<Item = &'a HttpOperation> {
        let asking = said(app).iter().filter(|it| !it.calls.is_empty());
        asking.filter(|it| self.operations.iter().all(|known| known.id != it.id))
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use http::{Request, StatusCode};
    use tower::ServiceExt as _;

    use super::*;
    use crate::handler::MethodMeta;
    use crate::rpc::{Contract, Declared as Declarations, Target};

    struct Inventory;

    impl Contract for Inventory {
        const NAME: &'static str = "shop.inventory.v1.Inventory";
        const DEFAULT_TARGET: &'static str = "inventory";
        const METHODS: &'static [MethodMeta] = &[MethodMeta {
            service: "shop.inventory.v1.Inventory",
            name: "Reserve",
            contract_hash: "v2:0",
            input_schema: "{}",
            output_schema: "{}",
            streaming: false,
        }];
        type Client = InventoryClient;
    }

    #[derive(Clone, Debug)]
    struct InventoryClient {
        target: Target,
    }

    impl From<Target> for InventoryClient {
        fn from(target: Target) -> Self {
            Self { target }
        }
    }

    crate::__client_impls!(InventoryClient, Inventory);

    #[bridge_macros::rpc(get, "/stock", crate = crate)]
    async fn stock(inventory: crate::Client<Inventory>) -> String {
        format!("{inventory:?}")
    }

    #[tokio::test]
    async fn what_a_handler_asks_for_is_declared_and_given_to_its_requests() {
        let handlers = bridge_macros::handlers![crate = crate; stock];
        let (declared, mut states) = (Arc::<Declarations>::default(), States::default());
        for calls in handlers.all_calls() {
            calls.provide(&declared, &mut states);
            // Who asks twice declares once.
            calls.provide(&declared, &mut states);
        }
        let called: Vec<_> = declared
            .dependencies()
            .iter()
            .map(|it| it.method.name)
            .collect();
        assert_eq!(called, ["Reserve"]);
        let router = Router::new().nest("/v1", Router::new().route("/stock", get(stock)));
        let app = Offered::new(handlers.http, states)
            .apply(bridge_tower::observe(router))
            .unwrap();
        let request = Request::get("/v1/stock").body(Body::empty()).unwrap();
        let answer = app
            .oneshot(request)
            .await
            .unwrap_or_else(|never| match never {});
        assert_eq!(answer.status(), StatusCode::OK);
        let body = to_bytes(answer.into_body(), 65_536).await.unwrap();
        assert!(body.starts_with(b"InventoryClient"));
    }

    #[tokio::test]
    async fn a_client_that_is_given_by_itself_is_the_one_that_a_handler_gets() {
        let handlers = bridge_macros::handlers![crate = crate; stock];
        let router = Router::new().route("/stock", get(stock));
        let app = crate::declare(router, &handlers);
        let status = async |app: Observed| {
            let request = Request::get("/stock").body(Body::empty()).unwrap();
            let answer = app.oneshot(request).await;
            answer.unwrap_or_else(|never| match never {}).status()
        };
        let without = status(app.clone()).await;
        assert_eq!(without, StatusCode::INTERNAL_SERVER_ERROR);
        let mock = crate::Mock::<Inventory>::new();
        assert_eq!(status(app.provide(mock.client())).await, StatusCode::OK);
    }

    #[test]
    fn a_handler_that_wants_a_client_and_was_not_served_is_known() {
        let handlers = bridge_macros::handlers![crate = crate; stock];
        let router = Router::new().route("/stock", get(stock));
        let app = crate::declare(router, &handlers);
        let forgotten = Offered::default();
        assert_eq!(forgotten.forgotten(&app).count(), 1);
        let served = Offered::new(handlers.http, States::default());
        assert_eq!(served.forgotten(&app).count(), 0);
    }
}

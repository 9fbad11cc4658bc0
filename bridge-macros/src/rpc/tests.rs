//! What users get from `#[bridge::rpc]`, and that their function stays theirs.
//!
//! Messages are tested with their spans as UI cases of the `bridge` crate; here only how many there
//! are.
//!
//! Invariant: the budget below counts what is added per handler, not what the user wrote.

use proc_macro2::TokenStream;
use quote::quote;

use crate::golden;

use super::rpc;

/// Formatted lines that one handler may add to what the compiler has to read.
pub(crate) const ADDED_LINES_MAX: usize = 60;

fn charge() -> TokenStream {
    quote! {
        /// Charges a card.
        #[tracing::instrument(skip_all)]
        #[must_use]
        pub(crate) async fn charge(
            State(db): State<Db>,
            ChargeRequest { cents, .. }: ChargeRequest,
            ctx: Context,
            prices: bridge::State<Arc<Prices>>,
        ) -> Result<ChargeReply, ChargeError> {
            db.charge(cents, ctx).await
        }
    }
}

fn begins_with(expansion: &TokenStream, item: &TokenStream) -> bool {
    expansion.to_string().starts_with(&item.to_string())
}

#[test]
fn a_handler_with_states_and_context_expands_as_reviewed() {
    golden::check("rpc_full", rpc(quote!(name = "ChargeCard"), charge()));
}

#[test]
fn the_smallest_handler_expands_as_reviewed() {
    let item = quote! {
        async fn r#move(req: MoveRequest) -> Result<MoveReply, MoveError> { step(req).await }
    };
    golden::check("rpc_small", rpc(quote!(crate = my::bridge), item));
}

#[test]
fn a_stream_with_a_client_expands_as_reviewed() {
    let item = quote! {
        fn statement(req: StatementRequest, payments: bridge::Client<Payments>)
            -> impl Stream<Item = Result<Line, StatementError>> + use<>
        {
            lines(req, payments)
        }
    };
    golden::check("rpc_stream", rpc(quote!(), item));
}

#[test]
fn an_idempotent_handler_expands_as_reviewed() {
    let item = quote! {
        async fn charge(req: ChargeRequest) -> Result<ChargeReply, ChargeError> { step(req).await }
    };
    let attr = quote!(idempotent_by = "order_id", idempotent_for = "2d");
    golden::check("rpc_idempotent", rpc(attr, item));
}

fn place_order() -> TokenStream {
    quote! {
        /// Places an order.
        ///
        /// Once.
        #[axum::debug_handler]
        pub async fn place_order(
            State(db): State<Db>,
            payments: bridge::Client<Payments>,
            Path((shop, id)): Path<(String, u64)>,
            Json(new): Json<NewOrder>,
        ) -> Result<Json<Order>, OrderError> {
            db.place(shop, id, new).await
        }
    }
}

#[test]
fn an_axum_handler_expands_as_reviewed() {
    let attr = quote!(
        post,
        "/v1/{shop}/orders/{id}",
        tag = "orders",
        idempotent_by = "Idempotency-Key",
        idempotent_within = "X-Tenant, x-user",
        required,
        deadline = "2s"
    );
    golden::check("http_full", rpc(attr, place_order()));
}

#[test]
fn a_generic_axum_handler_expands_as_reviewed() {
    let item = quote! {
        async fn list<R: Repo>(State(repo): State<R>, Query(page): Query<Page>) -> impl IntoResponse {}
    };
    golden::check("http_generic", rpc(quote!(get, "/orders"), item));
}

#[test]
fn a_refused_axum_handler_expands_as_reviewed() {
    let item = quote! { async fn list(Json(a): Json<A>, Path((a, b)): Path<(A, B)>) {} };
    golden::check("http_refused", rpc(quote!(get, "/orders/{id}"), item));
}

#[test]
fn a_refused_handler_expands_as_reviewed() {
    let item = quote! { pub fn charge(ctx: Context) {} };
    golden::check("rpc_refused", rpc(quote!(), item));
}

#[test]
fn one_handler_adds_at_most_its_budget_of_lines() {
    let lines = |items| golden::pretty(items).lines().count();
    let stream = quote! {
        fn statement(ctx: Context, State(a): State<A>, State(b): State<B>, req: Req)
            -> impl Stream<Item = Result<A, B>> {}
    };
    let path = quote!(
        post,
        "/v1/{shop}/orders/{id}",
        tag = "orders",
        idempotent_by = "Key",
        idempotent_for = "1h",
        idempotent_within = "X-Tenant, X-User",
        required,
        deadline = "2s"
    );
    for (attr, item) in [
        (
            quote!(idempotent_by = "cents", idempotent_for = "1h"),
            charge(),
        ),
        (quote!(), stream),
        (path, place_order()),
    ] {
        let added = lines(rpc(attr, item.clone())) - lines(item);
        assert!(
            added <= ADDED_LINES_MAX,
            "{added} lines added, {ADDED_LINES_MAX} allowed"
        );
    }
}

#[test]
fn the_item_comes_first_and_token_for_token() {
    assert!(begins_with(&rpc(quote!(), charge()), &charge()));
    assert!(begins_with(
        &rpc(quote!(get, "orders"), charge()),
        &charge()
    ));
}

#[test]
fn other_attributes_keep_their_order() {
    let expansion = rpc(quote!(), charge()).to_string();
    let instrument = expansion.find("instrument").unwrap();
    let must_use = expansion.find("must_use").unwrap();
    let twin = expansion.find("non_camel_case_types").unwrap();
    assert!(instrument < must_use && must_use < twin);
    assert_eq!(expansion.matches("instrument").count(), 1);
}

#[test]
fn a_half_typed_body_still_yields_the_item_and_its_operation() {
    let item = quote! {
        async fn charge(req: ChargeRequest) -> Result<ChargeReply, ChargeError> {
            let x = req. ;
            if req.cents > { db.
        } }
    };
    let expansion = rpc(quote!(), item.clone());
    assert!(begins_with(&expansion, &item));
    assert!(golden::messages(expansion.clone()).is_empty());
    assert!(expansion.to_string().contains("OperationDef"));
}

#[test]
fn a_half_typed_signature_is_left_to_the_compiler() {
    let item = quote! { async fn charge(req: ) -> Result<ChargeReply, ChargeError> { } };
    assert_eq!(rpc(quote!(), item.clone()).to_string(), item.to_string());
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let item = quote! { fn charge<T>(a: Context, b: &Context, c: State) {} };
    let messages = golden::messages(rpc(quote!(nam = "x", name = ""), item));
    let codes: Vec<&str> = messages.iter().map(|text| &text[..6]).collect();
    assert_eq!(
        codes,
        [
            "BR0002", "BR0013", "BR0019", "BR0016", "BR0020", "BR0018", "BR0014", "BR0011",
            "BR0017"
        ],
    );
}

#[test]
fn all_mistakes_about_an_axum_handler_are_reported_at_once() {
    let item = quote! {
        async fn list(body: Bytes, Path(id): Path<(A, B)>, request: Option<Json<C>>, q: Query<Q>) {}
    };
    let attr = quote!(
        get,
        "/a/{b}/{c}/{d}",
        name = "",
        deadline = "0s",
        idempotent,
        idempotent_by = "a b",
        retry = 3
    );
    let messages = golden::messages(rpc(attr, item));
    let codes: Vec<&str> = messages.iter().map(|text| &text[..6]).collect();
    assert_eq!(
        codes,
        [
            "BR0005", "BR0002", "BR0004", "BR0054", "BR0054", "BR0053", "BR0056", "BR0018"
        ],
        "{messages:#?}"
    );
}

#[test]
fn each_way_to_get_the_route_wrong_is_one_fault() {
    let item = || quote! { async fn list() {} };
    for (attr, code) in [
        (quote!(get), "BR0051"),
        (quote!(get, name = "x"), "BR0051"),
        (quote!(get, LIST), "BR0051"),
        (quote!(get, "orders"), "BR0051"),
        (quote!("/orders"), "BR0050"),
        (quote!("/orders", get), "BR0050"),
        (quote!(GET, "/orders"), "BR0050"),
        (quote!(any, "/orders"), "BR0050"),
        (quote!(fetch, "/orders"), "BR0050"),
        (quote!(get, "/a/{b}/{b}"), "BR0052"),
        (quote!("get", "/orders"), "BR0050"),
        (quote!(get "/orders"), "BR0050"),
        (quote!(method = "get", path = "/orders"), "BR0050"),
        (quote!(get, concat!("/", "orders")), "BR0051"),
        (quote!(post, "/orders", required), "BR0023"),
        (quote!(post, "/orders"; deadline = "1s"), "BR0001"),
        (quote!(post, "/orders/größe"), "BR0051"),
    ] {
        let text = attr.to_string();
        let messages = golden::messages(rpc(attr, item()));
        let codes: Vec<&str> = messages.iter().map(|text| &text[..6]).collect();
        assert_eq!(codes, [code], "{text}: {messages:?}");
    }
}

#[test]
fn a_header_that_cannot_bring_a_key_is_one_fault() {
    for name in [
        "Authorization",
        "COOKIE",
        "content-length",
        "Host",
        "Forwarded",
        "Date",
        "TE",
        "",
        "a b",
    ] {
        let attr = quote!(post, "/orders", idempotent_by = #name);
        let messages = golden::messages(rpc(attr, quote! { async fn place() {} }));
        assert_eq!(messages.len(), 1, "{name}: {messages:?}");
        assert!(messages[0].starts_with("BR0055"), "{name}: {messages:?}");
    }
}

#[test]
fn a_header_that_keys_cannot_be_within_is_one_fault() {
    let nine = "A1, A2, A3, A4, A5, A6, A7, A8, A9";
    for (names, part) in [
        ("24h", "`idempotent_for`"),
        ("X-Tenant,", "no names"),
        ("", "no names"),
        ("X Tenant", "no names"),
        ("X-Tenant, x-tenant", "named twice"),
        ("X-Tenant, KEY", "`KEY` is the key"),
        ("Date", "another `Date`"),
        (nine, "8 headers at most; remove `A9`"),
    ] {
        let attr = quote!(post, "/orders", idempotent_by = "Key", idempotent_within = #names);
        let messages = golden::messages(rpc(attr, quote! { async fn place() {} }));
        assert_eq!(messages.len(), 1, "{names}: {messages:?}");
        assert!(messages[0].starts_with("BR0055"), "{names}: {messages:?}");
        assert!(messages[0].contains(part), "{names}: {messages:?}");
    }
}

#[test]
fn keys_may_be_within_the_host() {
    for names in ["Host", "X-Tenant, host", "X-Forwarded-Host", "Forwarded"] {
        let attr = quote!(post, "/orders", idempotent_by = "Key", idempotent_within = #names);
        let messages = golden::messages(rpc(attr, quote! { async fn place() {} }));
        assert_eq!(messages, Vec::<String>::new(), "{names}");
    }
}

#[test]
fn a_function_that_says_it_stands_in_an_impl_or_a_trait_adds_nothing_to_it() {
    for item in [
        quote! { async fn charge(&self, req: ChargeRequest) -> Charged {} },
        quote! { async fn charge(req: ChargeRequest) -> Result<Self, ChargeError> {} },
        quote! { async fn charge(req: ChargeRequest) -> Charged; },
        quote! { async fn charge(&self, req: ChargeRequest) -> Charged; },
    ] {
        for attr in [quote!(), quote!(post, "/charges")] {
            let expansion = rpc(attr, item.clone());
            let messages = golden::messages(expansion.clone());
            assert_eq!(messages.len(), 1, "{messages:?}");
            assert!(messages[0].starts_with("BR0012"), "{messages:?}");
            assert!(!expansion.to_string().contains("struct"), "{expansion}");
        }
    }
}

#[test]
fn extractors_nobody_heard_of_are_left_alone() {
    let item = quote! {
        async fn list(user: &'static Auth, Extension(x): Extension<X>, Path(all): Path<HashMap<A, B>>) {}
    };
    assert!(golden::messages(rpc(quote!(get, "/a/{b}"), item)).is_empty());
}

#[test]
fn a_streaming_handler_is_no_async_function_and_says_its_items() {
    for item in [
        quote! { async fn list(req: Req) -> impl Stream<Item = Result<A, B>> {} },
        quote! { fn list(req: Req) -> impl Stream {} },
        quote! { async fn list(req: Req) -> impl Stream {} },
        quote! { fn list(req: Req) -> BoxStream<'static, Result<A, B>> {} },
        quote! { fn list(req: Req) -> ReceiverStream<Result<A, B>> {} },
    ] {
        let messages = golden::messages(rpc(quote!(), item));
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].starts_with("BR0022"));
    }
    let boxed =
        quote! { fn list(req: Req) -> Pin<Box<dyn Stream<Item = Result<Vec<A>, B>> + Send>> {} };
    assert!(golden::messages(rpc(quote!(), boxed)).is_empty());
}

#[test]
fn what_is_read_by_a_service_is_emitted_as_it_came() {
    let item = quote! { async fn charge(&self) {} };
    let emitted = rpc(quote!(__read_by_service), item.clone());
    assert_eq!(emitted.to_string(), item.to_string());
}

#[test]
fn a_borrowed_message_is_one_fault() {
    let item = quote! { async fn charge(req: &ChargeRequest) -> Result<A, B> {} };
    assert_eq!(golden::messages(rpc(quote!(), item)).len(), 1);
}

#[test]
fn a_sync_function_that_returns_a_future_is_one_fault() {
    let item = quote! { fn charge(req: ChargeRequest) -> impl Future<Output = Result<A, B>> {} };
    assert_eq!(golden::messages(rpc(quote!(), item)).len(), 1);
}

#[test]
fn types_from_macro_rules_keep_their_role() {
    let group = |tokens| proc_macro2::Group::new(proc_macro2::Delimiter::None, tokens);
    let (state, request) = (group(quote!(State<Db>)), group(quote!(Req)));
    let item = quote! { async fn charge(s: #state, r: #request) -> Result<A, B> {} };
    assert!(golden::messages(rpc(quote!(), item)).is_empty());
}

async fn list<R: Repo>(
    State(repo): State<R>,
    Query(page): Query<Page>,
) -> impl IntoResponse {}
#[doc(hidden)]
#[allow(missing_debug_implementations, non_camel_case_types)]
#[warn(dead_code, reason = "in no `handlers![…]`, so its attribute does nothing")]
enum list {}
#[allow(deprecated)]
impl ::bridge::__rt::Operation for list {
    const ID: ::bridge::__rt::OperationId = ::bridge::__rt::OperationId::http(
        "GET",
        "/orders",
        ::core::concat!(::core::module_path!(), "::list"),
    );
    fn add_to(__handlers: &mut ::bridge::Handlers) {
        let mut __operation = ::bridge::__rt::HttpOperation::new(Self::ID, "list", "");
        ::bridge::__rt::Argument::<Query<Page>>::new().describe(&mut __operation);
        ::bridge::__rt::openapi!(__operation, [Query < Page >]);
        __handlers.declare(__operation);
    }
}

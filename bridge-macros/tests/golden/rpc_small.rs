async fn r#move(req: MoveRequest) -> Result<MoveReply, MoveError> {
    step(req).await
}
#[doc(hidden)]
#[allow(missing_debug_implementations, non_camel_case_types)]
#[warn(dead_code, reason = "in no `handlers![…]`, so its attribute does nothing")]
enum r#move {}
#[allow(deprecated)]
impl my::bridge::__rt::Operation for r#move {
    const ID: my::bridge::__rt::OperationId = my::bridge::__rt::OperationId::rpc(
        "Move",
        ::core::concat!(::core::module_path!(), "::move"),
    );
    fn add_to(__handlers: &mut my::bridge::Handlers) {
        const FOUND: my::bridge::__rt::Found = (
            my::bridge::__rt::find_method(
                <MoveRequest as my::bridge::__rt::RpcRequest<
                    <Result<
                        MoveReply,
                        MoveError,
                    > as my::bridge::__rt::HandlerResult>::Reply,
                >>::METHODS,
                "Move",
            ),
            |__method| my::bridge::__rt::OperationDef::unary::<
                MoveRequest,
                Result<MoveReply, MoveError>,
                _,
                _,
                _,
            >(
                __method,
                ::core::concat!(::core::module_path!(), "::move"),
                |__states: &my::bridge::__rt::States| {
                    ::core::result::Result::Ok(move |
                        __request: MoveRequest,
                        __context: my::bridge::Context|
                    { r#move(__request) })
                },
            ),
        );
        let __operation = (FOUND.1)(FOUND.0);
        __handlers.serve(__operation);
    }
}

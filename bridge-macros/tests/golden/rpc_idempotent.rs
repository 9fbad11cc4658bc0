async fn charge(req: ChargeRequest) -> Result<ChargeReply, ChargeError> {
    step(req).await
}
#[doc(hidden)]
#[allow(missing_debug_implementations, non_camel_case_types)]
#[warn(dead_code, reason = "in no `handlers![…]`, so its attribute does nothing")]
enum charge {}
#[allow(deprecated)]
impl ::bridge::__rt::Operation for charge {
    const ID: ::bridge::__rt::OperationId = ::bridge::__rt::OperationId::rpc(
        "Charge",
        ::core::concat!(::core::module_path!(), "::charge"),
    );
    fn add_to(__handlers: &mut ::bridge::Handlers) {
        const FOUND: ::bridge::__rt::Found = (
            ::bridge::__rt::find_method(
                <ChargeRequest as ::bridge::__rt::RpcRequest<
                    <Result<
                        ChargeReply,
                        ChargeError,
                    > as ::bridge::__rt::HandlerResult>::Reply,
                >>::METHODS,
                "Charge",
            ),
            |__method| ::bridge::__rt::OperationDef::unary::<
                ChargeRequest,
                Result<ChargeReply, ChargeError>,
                _,
                _,
                _,
            >(
                __method,
                ::core::concat!(::core::module_path!(), "::charge"),
                |__states: &::bridge::__rt::States| {
                    ::core::result::Result::Ok(move |
                        __request: ChargeRequest,
                        __context: ::bridge::Context|
                    { charge(__request) })
                },
            ),
        );
        let __operation = (FOUND.1)(FOUND.0);
        let __key = ::bridge::__rt::Idempotent::by_field(|__request: &ChargeRequest| ::bridge::__rt::key_text(
            &__request.order_id,
        ));
        let __operation = __operation
            .idempotent(__key.keep(::bridge::__rt::millis(172800000u64)));
        __handlers.serve(__operation);
    }
}

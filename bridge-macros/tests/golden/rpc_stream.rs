fn statement(
    req: StatementRequest,
    payments: bridge::Client<Payments>,
) -> impl Stream<Item = Result<Line, StatementError>> + use<> {
    lines(req, payments)
}
#[doc(hidden)]
#[allow(missing_debug_implementations, non_camel_case_types)]
#[warn(dead_code, reason = "in no `handlers![…]`, so its attribute does nothing")]
enum statement {}
#[allow(deprecated)]
impl ::bridge::__rt::Operation for statement {
    const ID: ::bridge::__rt::OperationId = ::bridge::__rt::OperationId::rpc(
        "Statement",
        ::core::concat!(::core::module_path!(), "::statement"),
    );
    fn add_to(__handlers: &mut ::bridge::Handlers) {
        const FOUND: ::bridge::__rt::Found = (
            ::bridge::__rt::find_method(
                <StatementRequest as ::bridge::__rt::RpcStreamRequest<
                    <Result<
                        Line,
                        StatementError,
                    > as ::bridge::__rt::HandlerResult>::Reply,
                >>::METHODS,
                "Statement",
            ),
            |__method| ::bridge::__rt::OperationDef::stream::<
                StatementRequest,
                <Result<Line, StatementError> as ::bridge::__rt::HandlerResult>::Reply,
                <Result<Line, StatementError> as ::bridge::__rt::HandlerResult>::Error,
                _,
                _,
                _,
            >(
                __method,
                ::core::concat!(::core::module_path!(), "::statement"),
                |__states: &::bridge::__rt::States| {
                    let __state0 = __states.get::<bridge::Client<Payments>>()?;
                    ::core::result::Result::Ok(move |
                        __request: StatementRequest,
                        __context: ::bridge::Context|
                    {
                        let __state0 = (
                            <bridge::Client<
                                Payments,
                            > as ::core::clone::Clone>::clone(&__state0),
                        );
                        statement(__request, __state0.0)
                    })
                },
            ),
        );
        let __operation = (FOUND.1)(FOUND.0);
        __handlers.serve(__operation);
        __handlers.calls::<bridge::Client<Payments>>();
    }
}

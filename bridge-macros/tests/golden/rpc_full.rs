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
#[doc(hidden)]
#[allow(missing_debug_implementations, non_camel_case_types)]
#[warn(dead_code, reason = "in no `handlers![…]`, so its attribute does nothing")]
pub(crate) enum charge {}
#[allow(deprecated)]
impl ::bridge::__rt::Operation for charge {
    const ID: ::bridge::__rt::OperationId = ::bridge::__rt::OperationId::rpc(
        "ChargeCard",
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
                "ChargeCard",
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
                    let __state0 = __states.get::<Db>()?;
                    let __state1 = __states.get::<Arc<Prices>>()?;
                    ::core::result::Result::Ok(move |
                        __request: ChargeRequest,
                        __context: ::bridge::Context|
                    {
                        let __state0 = <Db as ::core::clone::Clone>::clone(&__state0);
                        let __state1 = <Arc<
                            Prices,
                        > as ::core::clone::Clone>::clone(&__state1);
                        charge(
                            ::bridge::__rt::State(__state0),
                            __request,
                            __context,
                            ::bridge::__rt::State(__state1),
                        )
                    })
                },
            ),
        );
        let __operation = (FOUND.1)(FOUND.0);
        __handlers.serve(__operation);
    }
}

impl Payments {
    const LIMIT: Limit = Limit { cents: 100 };
    /// Charges a card.
    #[tracing::instrument(skip_all)]
    #[bridge::rpc(__read_by_service)]
    pub async fn charge(
        &self,
        req: ChargeRequest,
        ctx: Context,
    ) -> Result<ChargeReply, ChargeError> {
        self.db.charge(req, ctx).await
    }
    #[bridge::rpc(__read_by_service)]
    fn statement(
        &self,
        req: StatementRequest,
    ) -> impl Stream<Item = Result<Line, ChargeError>> {
        self.db.lines(req)
    }
    fn inner(&mut self) {}
}
#[allow(deprecated)]
impl ::core::convert::From<Payments> for ::bridge::Handlers {
    fn from(__service: Payments) -> Self {
        let __service = ::std::sync::Arc::new(__service);
        let mut __handlers = Self::default();
        {
            const FOUND: ::bridge::__rt::FoundIn<Payments> = (
                ::bridge::__rt::find_method(
                    <ChargeRequest as ::bridge::__rt::RpcRequest<
                        <Result<
                            ChargeReply,
                            ChargeError,
                        > as ::bridge::__rt::HandlerResult>::Reply,
                    >>::METHODS,
                    "ChargeCard",
                ),
                |__method, __service: &::std::sync::Arc<Payments>| {
                    let __service = ::std::sync::Arc::clone(__service);
                    ::bridge::__rt::OperationDef::unary::<
                        ChargeRequest,
                        Result<ChargeReply, ChargeError>,
                        _,
                        _,
                        _,
                    >(
                        __method,
                        ::core::concat!(::core::module_path!(), "::Payments::charge"),
                        move |__states: &::bridge::__rt::States| {
                            let __service = ::std::sync::Arc::clone(&__service);
                            ::core::result::Result::Ok(move |
                                __request: ChargeRequest,
                                __context: ::bridge::Context|
                            {
                                let __service = ::std::sync::Arc::clone(&__service);
                                async move {
                                    <Payments>::charge(&__service, __request, __context).await
                                }
                            })
                        },
                    )
                },
            );
            let __operation = (FOUND.1)(FOUND.0, &__service);
            __handlers.serve(__operation);
        }
        {
            const FOUND: ::bridge::__rt::FoundIn<Payments> = (
                ::bridge::__rt::find_method(
                    <StatementRequest as ::bridge::__rt::RpcStreamRequest<
                        <Result<
                            Line,
                            ChargeError,
                        > as ::bridge::__rt::HandlerResult>::Reply,
                    >>::METHODS,
                    "Statement",
                ),
                |__method, __service: &::std::sync::Arc<Payments>| {
                    let __service = ::std::sync::Arc::clone(__service);
                    ::bridge::__rt::OperationDef::stream::<
                        StatementRequest,
                        <Result<
                            Line,
                            ChargeError,
                        > as ::bridge::__rt::HandlerResult>::Reply,
                        <Result<
                            Line,
                            ChargeError,
                        > as ::bridge::__rt::HandlerResult>::Error,
                        _,
                        _,
                        _,
                    >(
                        __method,
                        ::core::concat!(::core::module_path!(), "::Payments::statement"),
                        move |__states: &::bridge::__rt::States| {
                            let __service = ::std::sync::Arc::clone(&__service);
                            ::core::result::Result::Ok(move |
                                __request: StatementRequest,
                                __context: ::bridge::Context|
                            {
                                let __service = ::std::sync::Arc::clone(&__service);
                                ::bridge::__rt::stream_of(move |__items| async move {
                                    __items
                                        .take(<Payments>::statement(&__service, __request))
                                        .await
                                })
                            })
                        },
                    )
                },
            );
            let __operation = (FOUND.1)(FOUND.0, &__service);
            __handlers.serve(__operation);
        }
        __handlers
    }
}

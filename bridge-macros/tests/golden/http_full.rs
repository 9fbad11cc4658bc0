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
#[doc(hidden)]
#[allow(missing_debug_implementations, non_camel_case_types)]
#[warn(dead_code, reason = "in no `handlers![…]`, so its attribute does nothing")]
pub enum place_order {}
#[allow(deprecated)]
impl ::bridge::__rt::Operation for place_order {
    const ID: ::bridge::__rt::OperationId = ::bridge::__rt::OperationId::http(
        "POST",
        "/v1/{shop}/orders/{id}",
        ::core::concat!(::core::module_path!(), "::place_order"),
    );
    fn add_to(__handlers: &mut ::bridge::Handlers) {
        let mut __operation = ::bridge::__rt::HttpOperation::new(
                Self::ID,
                "place_order",
                "Places an order.\n\nOnce.",
            )
            .tag("orders")
            .deadline(::bridge::__rt::millis(2000u64))
            .idempotent_by("Idempotency-Key", ::core::option::Option::None)
            .key_required()
            .within("x-tenant")
            .within("x-user");
        ::bridge::__rt::Argument::<State<Db>>::new().describe(&mut __operation);
        <::bridge::__rt::ClientArgument<bridge::Client<Payments>>>::IT
            .describe(&mut __operation);
        ::bridge::__rt::Argument::<Path<(String, u64)>>::new()
            .describe(&mut __operation);
        ::bridge::__rt::Argument::<Json<NewOrder>>::new().describe(&mut __operation);
        let _ = ::bridge::__rt::answers::<Result<Json<Order>, OrderError>>;
        let _ = |
            __argument0: State<Db>,
            __argument1: (bridge::Client<Payments>,),
            __argument2: Path<(String, u64)>,
            __argument3: Json<NewOrder>|
        ::bridge::__rt::can_be_sent(
            place_order(__argument0, __argument1.0, __argument2, __argument3),
        );
        ::bridge::__rt::openapi!(
            __operation, [State < Db >, Path < (String, u64) >, Json < NewOrder >],
            Result < Json < Order >, OrderError >
        );
        __handlers.declare(__operation);
    }
}

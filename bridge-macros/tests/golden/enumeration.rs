#[allow(clippy::all, clippy::pedantic, deprecated, unused_variables)]
const _: () = {
    ::bridge::__rt::describe_enum! {
        OrderStatus as __TABLE, "shop.orders.v1.OrderStatus", closed : false, doc : "";
        variants { Unspecified = 0, Paid = - 1 } names { "ORDER_STATUS_UNSPECIFIED" = 0,
        "ORDER_STATUS_PAID" = - 1 } native { fn declare(__files : & mut
        ::bridge::__rt::message::Files) { __files.enumeration(& __TABLE,
        "shop.orders.v1", & ["", "Money came."]); } }
    }
    #[automatically_derived]
    impl ::core::default::Default for OrderStatus {
        fn default() -> Self {
            Self::Unspecified
        }
    }
};

#[derive(Clone, PartialEq, bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    id: String,
}

#[derive(Clone, PartialEq, bridge::Message)]
#[bridge(package = "shop.v1")]
struct Orders {
    #[bridge(1)]
    orders: Vec<Order>,
}

fn show(order: &Orders) -> String {
    let orders = Orders::default();
    format!("{order:?} {orders:?} {:?}", order.orders.first().map(|it| &it.id))
}

fn main() {}

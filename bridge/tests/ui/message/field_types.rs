use std::collections::{HashMap, HashSet};

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    small: u8,
    #[bridge(2)]
    size: Option<usize>,
    #[bridge(3)]
    by_name: HashMap<String, u32>,
    #[bridge(4)]
    tags: HashSet<String>,
    #[bridge(5)]
    letter: char,
    #[bridge(6)]
    pair: (u32, u32),
    #[bridge(7)]
    four: [u32; 4],
    #[bridge(8)]
    counts: Vec<i16>,
    #[bridge(9)]
    title: &'static str,
}

fn main() {}

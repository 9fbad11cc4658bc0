//! What the builder refuses before anything is connected.

use std::net::SocketAddr;

use super::builder::methods;
use super::listen::endpoint;
use super::*;
use crate::handler::{MethodMeta, OperationDef, States};

static PING: MethodMeta = MethodMeta {
    service: "t.Ping",
    name: "Ping",
    contract_hash: "v2:0",
    input_schema: "{}",
    output_schema: "{}",
    streaming: false,
};

fn ping(site: &'static str) -> OperationDef {
    OperationDef::unary(&PING, site, |states| {
        let _count: u32 = states.get()?;
        Ok(|_: (), _: crate::Context| async { Ok::<(), std::convert::Infallible>(()) })
    })
}

async fn refused(builder: Builder) -> Error {
    builder.start().await.expect_err("must be refused")
}

#[tokio::test]
async fn a_bridge_without_a_runtime_says_how_to_name_one() {
    let error = refused(Bridge::builder("orders")).await;
    assert_eq!(error.code(), ErrorCode::Config);
    assert!(
        error.to_string().contains(".runtime(address, key)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_damaged_key_is_refused_without_touching_the_network() {
    for key in ["", "nonsense", "sb.", "sb.!!!"] {
        let error = refused(Bridge::builder("orders").runtime("127.0.0.1:1", key)).await;
        assert_eq!(error.code(), ErrorCode::Config, "{key}");
        assert!(error.to_string().contains("service key"), "{error}");
    }
}

#[test]
fn a_handler_without_its_state_or_named_twice_is_refused() {
    let states = States::default();
    let missing = methods(vec![ping("shop::ping")], &states).err().unwrap();
    assert!(
        missing
            .to_string()
            .contains("`shop::ping`: no state of type `u32`"),
        "{missing}"
    );
    let mut states = States::default();
    states.insert(1_u32);
    let twice = methods(vec![ping("a::ping"), ping("b::ping")], &states)
        .err()
        .unwrap();
    assert_eq!(twice.code(), ErrorCode::Validation);
    assert!(twice.to_string().contains("`b::ping`"), "{twice}");
}

#[tokio::test]
async fn peers_are_told_the_host_as_given_with_the_real_port() {
    let bound: SocketAddr = "127.0.0.1:4711".parse().unwrap();
    let told = endpoint("localhost:0", bound, "127.0.0.1:1").await.unwrap();
    assert_eq!(told, "localhost:4711");
    let any: SocketAddr = "0.0.0.0:4711".parse().unwrap();
    let told = endpoint("0.0.0.0:0", any, "127.0.0.1:1").await.unwrap();
    assert_eq!(told, "127.0.0.1:4711");
}

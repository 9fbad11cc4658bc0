//! Who called is what the certificate says, whatever the message says.

use contract::grpc::v1::call_client::CallClient;
use contract::grpc::v1::invoke_client::InvokeClient;
use contract::grpc::v1::{CallRequest, InvokeRequest};
use contract::tls::Peer;
use prost::Message as _;

use crate::contracts::v1::{Desk, EchoReply, EchoRequest};
use crate::harness::{Database, Member, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_in_the_message_is_ignored_directly_and_through_the_runtime() {
    let world = World::start(Database::sqlite()).await;
    let desk = world.desk("desk").await;
    let victim = Member::provision(&world.address(), &world.key("orders").await).await;
    let mallory = Member::provision(&world.address(), &world.key("mallory").await).await;
    let instance = Peer::Service {
        service: desk.service.parse().expect("a UUID"),
        instance: desk.instance.parse().expect("a UUID"),
    };
    let endpoint = world.endpoint("desk", &desk.instance).await;
    let channel = mallory.dial(&endpoint, instance).await;
    let origin = channel.origin();
    let payload = EchoRequest {
        text: "it is me, orders".to_owned(),
    };
    let payload: Vec<u8> = payload.encode_to_vec();
    let claim = CallRequest {
        method: "Echo".to_owned(),
        payload: payload.clone().into(),
        caller_service: victim.service.to_string(),
        ..CallRequest::default()
    };
    let reply = CallClient::with_origin(channel, origin).unary(claim).await;
    let reply = reply.expect("anybody may call").into_inner();
    let reply = EchoReply::decode(&*reply.payload).expect("an echo");
    assert_eq!(reply.caller_service, mallory.service.to_string());
    assert_eq!(reply.caller_instance, mallory.instance.to_string());

    let channel = mallory.runtime(&world.address()).await;
    let origin = channel.origin();
    let hash = <Desk as bridge::Contract>::METHODS[0].contract_hash;
    let forward = InvokeRequest {
        target_service_id: desk.service.clone(),
        method: "Echo".to_owned(),
        payload: payload.into(),
        contract_hash: hash.as_bytes().to_vec(),
        ..InvokeRequest::default()
    };
    let reply = InvokeClient::with_origin(channel, origin)
        .unary(forward)
        .await;
    let reply = reply.expect("forwarded").into_inner();
    let reply = EchoReply::decode(&*reply.payload).expect("an echo");
    assert_eq!(reply.caller_service, mallory.service.to_string());
    assert_eq!(reply.caller_instance, "");
}

//! The peer: tonic alone, as its own documentation sets it up, with mutual TLS.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{
    Certificate, Channel, ClientTlsConfig, Endpoint, Identity, Server, ServerTlsConfig,
};
use tonic::{Request, Response, Status};

use super::load::{Caller, PAYLOAD_BYTES, answer_runs};
use super::{Pair, START, pair};
use crate::child::{Peer, Role, answer, request, setup, two_workers};
use crate::failure::{Context, Failure, Result};

/// What tonic's generator makes of the contract.
mod generated {
    #![allow(missing_debug_implementations, unreachable_pub)] // not ours to change
    include!(concat!(env!("OUT_DIR"), "/tonic/bench.echo.v1.rs"));
}

use generated::echo_client::EchoClient;
use generated::echo_server::{Echo, EchoServer};
use generated::{EchoReply, EchoRequest};

const HOST: &str = "localhost";

/// Certificates of one side, PEM, and where the service listens once it does.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Side {
    ca: String,
    cert: String,
    key: String,
    port: u16,
}

/// Starts both processes.
pub(super) fn start() -> Result<Pair> {
    let [serving, mut calling] = sides().context("certificates")?;
    let mut server = Peer::start(Role::TonicServer, &serving)?;
    calling.port = server.hear(START)?;
    pair("tonic", server, Role::TonicClient, &calling)
}

/// An authority and a leaf for each side, P-256 as the runtime's.
fn sides() -> std::result::Result<[Side; 2], rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    let leaf = || {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let params = CertificateParams::new(vec![HOST.to_owned()])?;
        Ok(Side {
            ca: ca.clone(),
            cert: params.signed_by(&key, &issuer)?.pem(),
            key: key.serialize_pem(),
            port: 0,
        })
    };
    Ok([leaf()?, leaf()?])
}

struct Service;

#[tonic::async_trait]
impl Echo for Service {
    async fn echo(
        &self,
        request: Request<EchoRequest>,
    ) -> std::result::Result<Response<EchoReply>, Status> {
        let payload = request.into_inner().payload;
        Ok(Response::new(EchoReply { payload }))
    }
}

/// The serving process: until the parent leaves.
pub(crate) fn serve() -> Result<()> {
    let side: Side = setup()?;
    let workers = two_workers()?;
    let listener = workers.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.context("a port")?;
    let port = listener.local_addr().context("a port")?.port();
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(&side.cert, &side.key))
        .client_ca_root(Certificate::from_pem(&side.ca));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving = Server::builder()
        .tls_config(tls)
        .context("TLS")?
        .add_service(EchoServer::new(Service))
        .serve_with_incoming(incoming);
    let serving = workers.spawn(serving);
    answer(Ok(port))?;
    while request::<()>()?.is_some() {}
    serving.abort();
    Ok(())
}

#[derive(Clone)]
struct TonicCaller {
    client: EchoClient<Channel>,
    payload: Vec<u8>,
}

impl Caller for TonicCaller {
    async fn call(&mut self) -> std::result::Result<(), String> {
        let payload = self.payload.clone();
        let reply = self.client.echo(EchoRequest { payload }).await;
        match reply {
            Ok(reply) if reply.get_ref().payload.len() == PAYLOAD_BYTES => Ok(()),
            Ok(_) => Err("the reply has another length".to_owned()),
            Err(status) => Err(status.to_string()),
        }
    }
}

/// The calling process.
pub(crate) fn call() -> Result<()> {
    let side: Side = setup()?;
    let workers = two_workers()?;
    let connected = workers.block_on(connect(&side));
    answer(
        connected
            .as_ref()
            .map(drop)
            .map_err(|it| Failure::new(it.to_string())),
    )?;
    answer_runs(&workers, &connected?)
}

async fn connect(side: &Side) -> Result<TonicCaller> {
    let tls = ClientTlsConfig::new()
        .domain_name(HOST)
        .ca_certificate(Certificate::from_pem(&side.ca))
        .identity(Identity::from_pem(&side.cert, &side.key));
    let channel = Endpoint::from_shared(format!("https://127.0.0.1:{}", side.port))
        .context("an address")?
        .tcp_nodelay(true)
        .tls_config(tls)
        .context("TLS")?
        .connect()
        .await
        .context("the peer")?;
    Ok(TonicCaller {
        client: EchoClient::new(channel),
        payload: vec![7; PAYLOAD_BYTES],
    })
}

//! What a sample has once: its `main.rs`, as somebody would write it by hand, and its `build.rs`.

use super::form::{Form, OPERATIONS, RESOURCES, named};

pub(super) fn build_script(form: Form) -> &'static str {
    if form == Form::BridgeContracts {
        return "fn main() {\n    bridge_codegen::contracts(\"contracts\").compile();\n}\n";
    }
    "fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(\"cargo::rerun-if-changed=contracts\");
    let files = std::fs::read_dir(\"contracts\")?.map(|it| it.map(|it| it.path()));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let files = protox::compile(files, [\"contracts\"])?;
    tonic_prost_build::compile_fds(files)?;
    Ok(())
}
"
}

pub(super) fn program(form: Form) -> String {
    let modules: String = RESOURCES
        .iter()
        .map(|name| format!("mod {}s;\n", name.to_lowercase()))
        .collect();
    let each = |line: &str| -> String { RESOURCES.iter().map(|name| named(line, name)).collect() };
    let body = match form {
        Form::Axum => {
            let routers = each("        .merge(things::router())\n");
            format!("    let app = axum::Router::new()\n{routers}    ;\n{SERVE_HTTP}")
        }
        Form::Bridge | Form::BridgeJoined => {
            let routers = each("        .merge(things::router())\n");
            let handlers: String = OPERATIONS
                .iter()
                .map(|it| format!("        things::{it},\n"))
                .collect();
            let handlers = each(&handlers);
            let serve = match form {
                Form::Bridge => {
                    format!("    let app = bridge::declare(app, &handlers);\n{SERVE_HTTP}")
                }
                _ => SERVE_JOINED.to_owned(),
            };
            format!(
                "    let app = axum::Router::new()\n{routers}    ;\n\
                 \x20   let handlers = bridge::handlers![\n{handlers}    ];\n{serve}"
            )
        }
        Form::BridgeContracts => {
            let services = each("        .serve(things::ThingHost::default())\n");
            format!(
                "    let joined = bridge::Bridge::builder(\"sample\")\n\
                 \x20       .runtime(\"127.0.0.1:14445\", std::env::var(\"KEY\")?)\n\
                 \x20       .advertise(\"127.0.0.1:0\")\n{services}\
                 \x20       .start()\n        .await?;\n\
                 \x20   joined.stop().await;\n    Ok(())\n"
            )
        }
        Form::Tonic => {
            let services = each(
                "        .add_service(things::things_server::ThingsServer::new(\n\
                 \x20           things::ThingHost::default(),\n        ))\n",
            );
            format!(
                "    let key = std::env::var(\"KEY\")?;\n\
                 \x20   let identity = tonic::transport::Identity::from_pem(&key, &key);\n\
                 \x20   let tls = tonic::transport::ServerTlsConfig::new().identity(identity);\n\
                 \x20   tonic::transport::Server::builder()\n        .tls_config(tls)?\n{services}\
                 \x20       .serve(([127, 0, 0, 1], 0).into())\n        .await?;\n    Ok(())\n"
            )
        }
    };
    format!(
        "{modules}\n#[tokio::main]\n\
         async fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{body}}}\n"
    )
}

const SERVE_HTTP: &str = "    let listener = tokio::net::TcpListener::bind(\"127.0.0.1:0\").await?;
    axum::serve(listener, app).await?;
    Ok(())
";

const SERVE_JOINED: &str = "    let joined = bridge::Bridge::builder(\"sample\")
        .runtime(\"127.0.0.1:14445\", std::env::var(\"KEY\")?)
        .advertise(\"127.0.0.1:0\")
        .serve(handlers)
        .start()
        .await?;
    let listener = tokio::net::TcpListener::bind(\"127.0.0.1:0\").await?;
    joined.serve_http(listener, app).await?;
    Ok(())
";

//! The packages that are built: a hundred operations on ten resources, in four forms.
//!
//! Forms of one kind have the same handlers, token for token: `samples/` holds one resource, and a
//! form is made of it by leaving our attributes out or by tonic's signatures in place of ours.
//! Versions are those of this workspace, with its lock, so that nothing has to be downloaded.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::failure::{Context, Failure, Result};

/// One word for one of the ten: `Thing` in the samples.
const RESOURCES: [&str; 10] = [
    "Order", "Refund", "Parcel", "Account", "Coupon", "Invoice", "Review", "Voucher", "Ticket",
    "Basket",
];

/// The operations of each.
const OPERATIONS: [&str; 10] = [
    "list_things",
    "read_thing",
    "create_thing",
    "replace_thing",
    "rename_thing",
    "label_thing",
    "open_thing",
    "finish_thing",
    "remove_thing",
    "total_things",
];

/// How many operations a sample has.
pub(super) const OPERATIONS_TOTAL: usize = RESOURCES.len() * OPERATIONS.len();

const HANDLERS: &str = include_str!("../../samples/things.rs");
const SERVICE: &str = include_str!("../../samples/things_service.rs");
const CONTRACT: &str = include_str!("../../samples/things.proto");
const AXUM_ERROR: &str = include_str!("../../samples/axum_error.rs");
const TONIC_ERROR: &str = include_str!("../../samples/tonic_error.rs");

/// Our crates that end up in a sample. A user has them from a registry or from git, compiled in 16
/// units as every dependency is; from a path cargo would cut them into 256, to edit them.
const OURS: [&str; 3] = ["bridge", "bridge-contract", "bridge-tower"];

/// What an edit changes, in the body of the first operation of the first resource.
const EDITED: &str = "unwrap_or(20)";

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Form {
    /// axum handlers, annotated
    Bridge,
    /// The same handlers alone
    Axum,
    /// Contracts and services of ours
    BridgeContracts,
    /// The same contracts and services with tonic
    Tonic,
}

impl Form {
    pub(super) const ALL: [Self; 4] =
        [Self::Bridge, Self::Axum, Self::BridgeContracts, Self::Tonic];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Bridge => "bridge, axum handlers",
            Self::Axum => "axum alone",
            Self::BridgeContracts => "bridge, contracts",
            Self::Tonic => "tonic",
        }
    }

    pub(super) fn package(self) -> &'static str {
        match self {
            Self::Bridge => "sample-bridge",
            Self::Axum => "sample-axum",
            Self::BridgeContracts => "sample-contracts",
            Self::Tonic => "sample-tonic",
        }
    }

    fn dependencies(self) -> &'static str {
        match self {
            Self::Bridge => {
                "axum.workspace = true\nbridge.workspace = true\nserde.workspace = true\n"
            }
            Self::Axum => {
                "axum.workspace = true\nserde.workspace = true\nserde_json.workspace = true\n"
            }
            Self::BridgeContracts => {
                "bridge.workspace = true\n[build-dependencies]\nbridge-codegen.workspace = true\n"
            }
            Self::Tonic => {
                "prost.workspace = true\n\
                 tonic = { workspace = true, features = [\"server\", \"tls-ring\"] }\n\
                 tonic-prost.workspace = true\n\
                 [build-dependencies]\n\
                 protox.workspace = true\n\
                 tonic-prost-build.workspace = true\n"
            }
        }
    }

    fn is_ours(self) -> bool {
        matches!(self, Self::Bridge | Self::BridgeContracts)
    }

    fn has_contracts(self) -> bool {
        matches!(self, Self::BridgeContracts | Self::Tonic)
    }
}

/// A package on disk.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) form: Form,
    pub(super) folder: PathBuf,
    /// The file that edits change, as it was.
    edited: (PathBuf, String),
}

impl Sample {
    /// Writes one below `folder`, with dependencies of the workspace at `root`.
    pub(super) fn write(form: Form, folder: &Path, root: &Path) -> Result<Self> {
        let folder = folder.join(form.package());
        let sources = folder.join("src");
        fs::create_dir_all(&sources).context(sources.display())?;
        write(&folder, "Cargo.toml", &manifest(form, root)?)?;
        let lock = root.join("Cargo.lock");
        fs::copy(&lock, folder.join("Cargo.lock")).context(lock.display())?;
        if form.has_contracts() {
            write(&folder, "build.rs", build_script(form))?;
            let contracts = folder.join("contracts");
            fs::create_dir_all(&contracts).context(contracts.display())?;
            for name in RESOURCES {
                let file = format!("{}s.proto", name.to_lowercase());
                write(&contracts, &file, &named(CONTRACT, name))?;
            }
        }
        for name in RESOURCES {
            let file = format!("{}s.rs", name.to_lowercase());
            write(&sources, &file, &named(&resource(form), name))?;
        }
        write(&sources, "main.rs", &program(form))?;
        let first = sources.join(format!("{}s.rs", RESOURCES[0].to_lowercase()));
        let text = fs::read_to_string(&first).context(first.display())?;
        if text.matches(EDITED).count() != 1 {
            return Err(Failure::new(format!(
                "{EDITED} is not once in {}",
                first.display()
            )));
        }
        Ok(Self {
            form,
            folder,
            edited: (first, text),
        })
    }

    /// Changes one number in one body; another one for every `turn`.
    pub(super) fn edit(&self, turn: usize) -> Result<()> {
        let (path, text) = &self.edited;
        let changed = text.replace(EDITED, &format!("unwrap_or({})", 21 + turn));
        fs::write(path, changed).context(path.display())
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).context(path.display())
}

/// A template about things, about something else.
fn named(template: &str, name: &str) -> String {
    template
        .replace("Thing", name)
        .replace("thing", &name.to_lowercase())
        .replace("THING", &name.to_uppercase())
}

/// The workspace's own versions, its paths made absolute.
fn manifest(form: Form, root: &Path) -> Result<String> {
    let path = root.join("Cargo.toml");
    let text = fs::read_to_string(&path).context(path.display())?;
    let versions = text
        .split_once("[workspace.dependencies]\n")
        .and_then(|(_, rest)| rest.split("\n[").next())
        .ok_or_else(|| Failure::new(format!("{} has no versions", path.display())))?
        .replace("path = \"", &format!("path = \"{}/", root.display()));
    let ours: String = OURS
        .iter()
        .map(|it| format!("[profile.dev.package.{it}]\ncodegen-units = 16\n"))
        .collect();
    let ours = if form.is_ours() { ours } else { String::new() };
    Ok(format!(
        "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\ntokio.workspace = true\n{}\n[workspace.dependencies]\n{versions}\n\n{ours}",
        form.package(),
        form.dependencies(),
    ))
}

fn build_script(form: Form) -> &'static str {
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

fn resource(form: Form) -> String {
    match form {
        Form::Bridge => HANDLERS.to_owned(),
        Form::BridgeContracts => SERVICE.to_owned(),
        Form::Axum => without_attributes(HANDLERS) + AXUM_ERROR,
        Form::Tonic => of_tonic(SERVICE) + TONIC_ERROR,
    }
}

/// The same handlers with nothing of ours.
fn without_attributes(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim().starts_with("#[bridge"));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    text.replace("#[derive(Debug, bridge::Error)]", "#[derive(Debug)]")
}

/// The same bodies behind tonic's signatures.
fn of_tonic(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line.trim() {
            "#[bridge::service]" => {
                out.push_str("#[tonic::async_trait]\nimpl things_server::Things for")
            }
            attribute if attribute.starts_with("#[bridge") => {}
            "impl ThingHost {" if out.ends_with(" for") => out.push_str(" ThingHost {\n"),
            _ if line.starts_with("    async fn") => {
                let line = line
                    .replace("request: ", "request: Request<")
                    .replace(") -> Result<", ">) -> Result<Response<")
                    .replace(", ThingError> {", ">, Status> {");
                out.push_str(&line);
                out.push_str("\n        let request = request.into_inner();\n");
            }
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out.replace(
        "bridge::include_contract!",
        "use tonic::{Request, Response, Status};\n\ntonic::include_proto!",
    )
    .replace("#[derive(Debug, bridge::Error)]", "#[derive(Debug)]")
    .replace("Ok(reply)", "Ok(Response::new(reply))")
}

fn program(form: Form) -> String {
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
        Form::Bridge => {
            let routers = each("        .merge(things::router())\n");
            let handlers: String = OPERATIONS
                .iter()
                .map(|it| format!("        things::{it},\n"))
                .collect();
            let handlers = each(&handlers);
            format!(
                "    let app = axum::Router::new()\n{routers}    ;\n\
                 \x20   let handlers = bridge::handlers![\n{handlers}    ];\n\
                 \x20   let app = bridge::declare(app, &handlers);\n{SERVE_HTTP}"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_kind_differ_in_nothing_of_their_bodies() {
        let bodies = |form| {
            let text = resource(form);
            let lines = text.lines().map(str::trim).map(str::to_owned);
            lines.filter(|it| !it.starts_with("#[")).collect::<Vec<_>>()
        };
        let (ours, axum) = (bodies(Form::Bridge), bodies(Form::Axum));
        assert_eq!(ours, axum[..ours.len()]);
        let tonic = bodies(Form::Tonic);
        let ours = bodies(Form::BridgeContracts);
        let own = |line: &&String| {
            !line.starts_with("async fn")
                && !line.starts_with("bridge::include_contract!")
                && !line.starts_with("impl ThingHost")
                && *line != "Ok(reply)"
                && !line.is_empty()
        };
        for line in ours.iter().filter(own) {
            assert!(tonic.contains(line), "{line}");
        }
    }

    #[test]
    fn a_sample_is_written_whole_and_edited_in_one_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the workspace");
        for form in Form::ALL {
            let sample = Sample::write(form, folder.path(), root).expect("a sample");
            let (path, before) = sample.edited.clone();
            sample.edit(1).expect("an edit");
            let after = fs::read_to_string(path).expect("its text");
            assert_eq!(before.lines().count(), after.lines().count());
            let changed = before.lines().zip(after.lines()).filter(|(a, b)| a != b);
            assert_eq!(changed.count(), 1, "{form:?}");
            assert!(!after.contains("Thing"), "{form:?}");
        }
    }
}

//! Contracts that were read and are not rendered: for the gate, for exports, for tools.
//!
//! Invariant: what a [`Loaded`] gives depends on the contract files only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use prost_reflect::FileDescriptor;
use serde_json::Value;

use crate::error::{Error, Fault};
use crate::export::{self, About, Event, Linked, OpenApi};
use crate::load::{SchemaFile, Sources};
use crate::lock::{self, Lock, Places};
use crate::model::{Method, Model, Service};

/// An rpc and the `.schema.json` file that declares it.
type Rpc<'l> = (&'l Method, &'l SchemaFile);

/// Contracts in memory; [`crate::Contracts::read`] makes one.
pub struct Loaded {
    pub(crate) sources: Sources,
    pub(crate) model: Model,
    /// Where they were read from.
    pub(crate) path: PathBuf,
}

/// A file that an export made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Its path, relative to where exports go.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
    /// What whoever uses it must know; empty for nothing.
    pub note: String,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let packages: Vec<_> = self.model.packages.keys().collect();
        f.debug_struct("Loaded")
            .field("path", &self.path)
            .field("packages", &packages)
            .finish_non_exhaustive()
    }
}

/// Completes an encoded descriptor set that a program made of types declared in Rust, by the
/// contracts `beside` it that its types refer to. `source` is where the set comes from, for faults.
///
/// # Errors
///
/// Every type that is declared neither in the set nor in the contracts, and every contract that is
/// no export and has the name of a file of the set.
pub fn link(set: &[u8], source: &Path, beside: Option<&Loaded>) -> Result<Linked, Error> {
    export::link(set, source, beside.map(|it| &it.sources.pool))
}

impl Loaded {
    /// The facts that a lock holds, and where each is declared.
    #[must_use]
    pub fn lock(&self) -> (Lock, Places) {
        lock::read(&self.model)
    }

    /// OpenAPI 3.1 of every service.
    ///
    /// # Errors
    ///
    /// Paths that are used twice.
    pub fn openapi(&self, about: &About) -> Result<OpenApi, Error> {
        export::openapi(&self.model, about)
    }

    /// AsyncAPI 3 of these events; `list` is where they are listed, for faults.
    ///
    /// # Errors
    ///
    /// Every event whose message is unknown, and addresses that are listed twice.
    pub fn asyncapi(&self, about: &About, events: &[Event], list: &Path) -> Result<Value, Error> {
        export::asyncapi(&self.model, about, events, list)
    }

    /// These events as a lock holds them: messages by address.
    ///
    /// # Errors
    ///
    /// As [`Loaded::asyncapi`].
    pub fn events(&self, events: &[Event], list: &Path) -> Result<BTreeMap<String, String>, Error> {
        let known = export::known(&self.model, events, list)?;
        let pair = |(event, _): &(&Event, _)| (event.address.clone(), event.message.clone());
        Ok(known.iter().map(pair).collect())
    }

    /// Where a message or an enum is declared, as `file:line:column`.
    #[must_use]
    pub fn place(&self, full_name: &str) -> Option<String> {
        let message = self.model.messages.get(full_name).map(|it| &it.said);
        let said = message.or_else(|| self.model.enums.get(full_name).map(|it| &it.said));
        said.map(|said| said.place.to_string())
    }

    /// Where an rpc is declared, by `package.Service/Method` or `package.Service.Method`.
    #[must_use]
    pub fn rpc_place(&self, name: &str) -> Option<String> {
        let (service, method) = name.rsplit_once(['/', '.'])?;
        let services = self
            .model
            .packages
            .values()
            .flat_map(|package| &package.services);
        let mut of_name = services.filter(|it| it.full_name == service);
        let method = of_name.find_map(|it| it.methods.iter().find(|it| it.name == method))?;
        Some(method.said.place.to_string())
    }

    /// `.proto` files of everything that was read in another form: descriptor sets and
    /// `.schema.json` files. What has a `.proto` already is not written again.
    ///
    /// The rpcs of a folder's `.schema.json` files are one file, `acme/ping.proto` for the package
    /// `acme.ping`, and the objects in their messages another one beside it, without a package.
    ///
    /// # Errors
    ///
    /// Groups, field names that `.proto` cannot write or tell apart, and two files of one path.
    pub fn protos(&self) -> Result<Vec<Exported>, Error> {
        let mut found = Vec::new();
        let mut faults = Vec::new();
        for file in self
            .sources
            .files
            .iter()
            .filter(|file| !file.is_well_known())
        {
            let is_proto = |path: &Path| path.extension().is_some_and(|it| it == "proto");
            if file.path.as_deref().is_none_or(is_proto) {
                continue;
            }
            let declared = self.sources.pool.get_file_by_name(&file.name);
            match declared.as_ref().map(proto) {
                Some(Ok(text)) => found.push(Exported {
                    path: PathBuf::from(&file.name),
                    text,
                    note: String::new(),
                }),
                Some(Err(message)) => {
                    let path = file.path.as_deref().unwrap_or(Path::new(&file.name));
                    faults.push(Fault::new(path, message));
                }
                None => {}
            }
        }
        for (service, rpcs) in self.services_of_schemas() {
            match export::protos_of_schemas(service, &rpcs) {
                Ok(files) => found.extend(files.into_iter().map(|file| Exported {
                    path: PathBuf::from(file.path),
                    text: file.text,
                    note: file.note.to_owned(),
                })),
                Err(error) => faults.extend(error.faults().to_vec()),
            }
        }
        faults.extend(self.twice(&found));
        Error::unless_empty(faults)?;
        Ok(found)
    }

    /// The `.schema.json` file of an rpc, by `package.Service/Method`.
    ///
    /// # Errors
    ///
    /// When there is no such rpc, and every field that the format cannot say.
    pub fn schema_json(&self, rpc: &str) -> Result<Exported, Error> {
        let (service, name) = rpc.rsplit_once('/').unwrap_or((rpc, ""));
        let services = self
            .model
            .packages
            .values()
            .flat_map(|package| &package.services);
        let mut of_name = services.filter(|it| it.full_name == service);
        let found = of_name.find_map(|it| it.methods.iter().find(|it| it.name == name));
        let Some(method) = found else {
            let (lock, _) = self.lock();
            let all: Vec<_> = lock.rpcs.into_keys().collect();
            let text = format!("no rpc `{rpc}`; there are {}", all.join(", "));
            return Err(Fault::new(&self.path, text).into());
        };
        let text = export::schema_json(&self.model, method)?;
        let note = if export::is_same_contract(&text, method) {
            String::new()
        } else {
            "its contract hash is another one, since messages inside messages are named by their \
             place there: both sides must use this file"
                .to_owned()
        };
        let folder = service.rsplit('.').next().unwrap_or(service).to_lowercase();
        Ok(Exported {
            path: PathBuf::from(folder).join(format!("{}.schema.json", crate::names::snake(name))),
            text,
            note,
        })
    }

    /// Every service that `.schema.json` files make up: its rpcs, each with its file.
    fn services_of_schemas<'l>(&'l self) -> Vec<(&'l Service, Vec<Rpc<'l>>)> {
        let files = self.sources.schemas.iter();
        let files: BTreeMap<_, _> = files
            .map(|file| (format!("{}.Input", file.package), file))
            .collect();
        let with_file = |method: &'l Method| Some((method, *files.get(&method.input)?));
        let services = self
            .model
            .packages
            .values()
            .flat_map(|package| &package.services);
        let with_rpcs = |service: &'l Service| {
            let rpcs: Vec<_> = service.methods.iter().filter_map(with_file).collect();
            (service, rpcs)
        };
        let all = services.map(with_rpcs);
        all.filter(|(_, rpcs)| !rpcs.is_empty()).collect()
    }

    /// Files of one name, of which the later would be written over the earlier.
    fn twice(&self, files: &[Exported]) -> Vec<Fault> {
        let mut seen = BTreeSet::new();
        let again = files.iter().filter(|it| !seen.insert(&it.path));
        let fault = |it: &Exported| {
            let text = format!(
                "two contracts would be the file `{}`: move one to another folder",
                it.path.display()
            );
            Fault::new(&self.path, text)
        };
        again.map(fault).collect()
    }
}

fn proto(file: &FileDescriptor) -> Result<String, String> {
    export::proto(file).map_err(|field| {
        format!("field `{field}` is a group, which .proto of today has no form for: use a message")
    })
}

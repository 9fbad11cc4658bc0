//! Rules that a contract can break although the compiler accepts it.
//!
//! One function for each rule; all of them run, so that one build shows every fault.
//!
//! Invariant: what passes here renders to Rust that compiles.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Fault};
use crate::http_rules;
use crate::model::{Enum, Message, Model, Package, Service};
use crate::names;
use crate::place::Place;

/// The function that every server trait has on top of those of its rpcs.
const SERVER_FUNCTION: &str = "into_handlers";

/// Checks every rule on everything that Rust is generated for.
///
/// # Errors
///
/// All rules that are broken, wherever they are, and what the caller refuses besides.
pub(crate) fn check(model: &Model, refused: Vec<Fault>) -> Result<(), Error> {
    let mut faults = refused;
    for message in model.messages.values().filter(|it| !it.is_well_known()) {
        names_inside_a_message_differ(model, message, &mut faults);
    }
    for found in model.enums.values() {
        constants_of_an_enum_differ(found, &mut faults);
    }
    for package in model.packages.values() {
        names_in_a_package_differ(model, package, &mut faults);
        for service in &package.services {
            functions_of_a_service_differ(service, &mut faults);
            let methods = service.methods.iter();
            faults.extend(methods.flat_map(|it| http_rules::faults(model, it)));
        }
    }
    packages_have_their_own_modules(model, &mut faults);
    Error::unless_empty(faults)
}

fn names_inside_a_message_differ(model: &Model, message: &Message, faults: &mut Vec<Fault>) {
    let mut fields = Scope::default();
    for field in &message.fields {
        let what = format!("field `{}`", field.name);
        fields.add(&field.said.place, names::snake(&field.name), what);
    }
    for group in &message.oneofs {
        let what = format!("oneof `{}`", group.name);
        fields.add(&group.said.place, names::snake(&group.name), what);
    }
    faults.append(&mut fields.faults);

    let mut types = Scope::default();
    add_types(model, &message.messages, &message.enums, &mut types);
    faults.append(&mut types.faults);
}

fn constants_of_an_enum_differ(found: &Enum, faults: &mut Vec<Fault>) {
    let mut scope = Scope::default();
    let mut numbers = BTreeSet::new();
    // Of several constants with one number, only the first becomes a variant.
    for value in found.values.iter().filter(|it| numbers.insert(it.number)) {
        let what = format!("constant `{}`", value.name);
        let rust_name = names::variant(&found.name, &value.name);
        scope.add(&value.said.place, rust_name, what);
    }
    faults.append(&mut scope.faults);
}

fn names_in_a_package_differ(model: &Model, package: &Package, faults: &mut Vec<Fault>) {
    let mut scope = Scope::default();
    add_types(model, &package.messages, &package.enums, &mut scope);
    // Services last, so that a clash is reported at the service whatever the order of files.
    for service in &package.services {
        let (name, place) = (&service.name, &service.said.place);
        scope.add(place, names::camel(name), format!("service `{name}`"));
        let client = format!("the client of service `{name}`");
        scope.add(place, service.client_name(), client);
        let server = format!("the server of service `{name}`");
        scope.add(place, service.server_name(), server);
    }
    faults.append(&mut scope.faults);
}

fn add_types(model: &Model, messages: &[String], enums: &[String], scope: &mut Scope) {
    let messages = messages.iter().filter_map(|it| model.messages.get(it));
    for message in messages {
        let what = format!("message `{}`", message.name);
        scope.add(&message.said.place, names::camel(&message.name), what);
    }
    for found in enums.iter().filter_map(|it| model.enums.get(it)) {
        let what = format!("enum `{}`", found.name);
        scope.add(&found.said.place, names::camel(&found.name), what);
    }
}

fn functions_of_a_service_differ(service: &Service, faults: &mut Vec<Fault>) {
    let reserved = |name: &str| names::snake(name) == SERVER_FUNCTION;
    for method in service.methods.iter().filter(|it| reserved(&it.name)) {
        let text = format!(
            "rpc `{}` is `{SERVER_FUNCTION}` in rust, which the server trait has already: rename it",
            method.name
        );
        faults.push(method.said.place.fault(text));
    }
}

/// Package `a.b` is module `a::b`.
fn packages_have_their_own_modules(model: &Model, faults: &mut Vec<Fault>) {
    let mut packages: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    for (name, package) in &model.packages {
        let modules = names::modules(name);
        if let Some(other) = packages.insert(modules.clone(), name) {
            let module = modules.join("::");
            let message = format!(
                "packages `{other}` and `{name}` are both module `{module}` in rust: rename one"
            );
            faults.extend(anywhere_in(model, package).map(|place| place.fault(message)));
        }
    }
}

/// The first thing that a package declares.
fn anywhere_in<'m>(model: &'m Model, package: &'m Package) -> Option<&'m Place> {
    let messages = package
        .messages
        .iter()
        .filter_map(|it| model.messages.get(it));
    let enums = package.enums.iter().filter_map(|it| model.enums.get(it));
    let services = package.services.iter().map(|it| &it.said);
    let mut all = messages
        .map(|it| &it.said)
        .chain(enums.map(|it| &it.said))
        .chain(services);
    all.next().map(|it| &it.place)
}

/// Names that share one Rust scope.
#[derive(Default)]
struct Scope {
    taken: BTreeMap<String, (String, String)>,
    faults: Vec<Fault>,
}

impl Scope {
    fn add(&mut self, place: &Place, rust_name: String, what: String) {
        if let Some((other, first)) = self.taken.get(&rust_name) {
            let text =
                format!("{what} and {other} at {first} are both `{rust_name}` in rust: rename one");
            self.faults.push(place.fault(text));
        } else {
            self.taken.insert(rust_name, (what, place.to_string()));
        }
    }
}

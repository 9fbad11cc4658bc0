//! `bridge audit`: routes that are declared, mounted and called, and an exit code for CI.
//!
//! The file of what is declared stays here: the runtime is asked for what is mounted and called,
//! and both are joined by [`Audit::of`].
//!
//! Refuses to show as empty what was not told: without a file there are no declared sets.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::process::ExitCode;

use bridge_tower::record::Verb;
use bridge_tower::routes::{Audit, Declared, RouteTable, Strictness};
use contract::clock::Clock;
use serde_json::{Value, json};

use super::args::{self, Output};
use super::path::Path;
use super::screen::answer;
use super::when::shown;
use super::{AnyError, declared};
use crate::operator::Client;
use crate::operator::draw::{count, visible};
use crate::operator::model::{RoutesPage, ServiceRoutes};

/// The sets that are told only when something was declared.
const OF_DECLARED: [&str; 4] = [
    "declared_and_mounted",
    "declared_not_mounted",
    "ambiguous",
    "mounted_not_declared",
];

/// One service, compared.
struct Compared<'p> {
    routes: &'p ServiceRoutes,
    table: RouteTable,
    /// Mounted under names that are no method and path.
    unread: Vec<&'p str>,
    audit: Audit,
}

pub(super) async fn run(
    client: &Client,
    output: Output,
    wanted: args::Audit,
) -> Result<ExitCode, AnyError> {
    let declared = wanted.declared.as_deref().map(declared::read).transpose()?;
    let clock = Clock::system();
    let path = Path::new("/api/v1/routes")
        .with("service", wanted.service)
        .with("since", wanted.since.map(|it| it.unix_ms(&clock)));
    let page: RoutesPage = client.get(path.as_str()).await?;
    let compare = |it| Compared::new(it, declared.as_deref().unwrap_or_default());
    let compared: Vec<_> = page
        .services
        .iter()
        .map(compare)
        .collect::<Result<_, _>>()?;
    let has_declared = declared.is_some();
    answer(output, &report(&page, &compared, has_declared)?, |_| {
        text(&page, &compared, has_declared, wanted.since.is_some())
    })?;
    let strictness = if wanted.strict {
        Strictness::Everything
    } else {
        Strictness::Declared
    };
    let codes = compared.iter().map(|it| it.audit.exit_code(strictness));
    let code = if has_declared { codes.max() } else { None };
    Ok(ExitCode::from(code.unwrap_or(0)))
}

impl<'p> Compared<'p> {
    fn new(routes: &'p ServiceRoutes, declared: &[Declared]) -> Result<Self, AnyError> {
        let names = routes.mounted.iter().map(String::as_str);
        let (read, unread): (Vec<_>, Vec<_>) =
            names.partition(|it| RouteTable::from_names([*it]).is_ok());
        let table = RouteTable::from_names(read)?;
        // What is uncertain counts as called: only what surely was not is "never called".
        let told = routes.called.iter().flatten().chain(&routes.uncertain);
        let told: HashSet<&str> = told.map(String::as_str).collect();
        let called = |route: u32, verb: Verb| is_called(&told, &table, route, verb);
        let is_counted = routes.called.is_some();
        let audit = Audit::of(declared, &table, is_counted.then_some(&called));
        Ok(Self {
            routes,
            unread,
            audit,
            table,
        })
    }
}

fn is_called(told: &HashSet<&str>, table: &RouteTable, route: u32, verb: Verb) -> u64 {
    let route = usize::try_from(route).ok();
    let route = route.and_then(|it| table.routes().get(it));
    let name = route.map(|it| format!("{} {}", verb.as_str(), it.path));
    u64::from(name.is_some_and(|it| told.contains(&*it)))
}

/// For machines. Absent sets are `null`.
fn report(page: &RoutesPage, all: &[Compared<'_>], declared: bool) -> Result<Value, AnyError> {
    let service = |it: &Compared<'_>| {
        let mut json: Value = serde_json::from_str(&it.audit.to_json())?;
        for set in OF_DECLARED.into_iter().filter(|_| !declared) {
            json[set] = Value::Null;
        }
        json["service"] = json!(it.routes.service);
        json["instances"] = json!(it.routes.instances);
        json["mounted"] = json!(it.table.names().collect::<Vec<_>>());
        json["unread"] = json!(it.unread);
        json["uncertain"] = json!(it.routes.uncertain);
        Ok::<_, AnyError>(json)
    };
    let services: Vec<_> = all.iter().map(service).collect::<Result<_, _>>()?;
    Ok(json!({
        "from_unix_ms": page.from_unix_ms,
        "until_unix_ms": page.until_unix_ms,
        "services": services,
        "truncated": page.truncated,
    }))
}

/// For people.
fn text(page: &RoutesPage, all: &[Compared<'_>], declared: bool, since: bool) -> String {
    let rest = if since { "" } else { ", all that is kept" };
    let (from, until) = (shown(page.from_unix_ms), shown(page.until_unix_ms));
    let mut text = format!("calls from {from} until {until}{rest}\n");
    if all.is_empty() {
        text.push_str("no service has HTTP routes; `bridge.serve_http(…)` registers them\n");
    } else if !declared {
        text.push_str("nothing was declared; name a service and a file: --declared FILE\n");
    }
    for it in all {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{}", section(it, declared));
    }
    if all
        .iter()
        .any(|it| !it.audit.declared_not_mounted.is_empty())
    {
        text.push_str("\nroutes that answer every method (`any`) have no name in the registry: declared ones look not mounted\n");
    }
    if page.truncated {
        text.push_str("\nthere are more services; name one\n");
    }
    let lines: Vec<_> = text.lines().map(visible).collect();
    lines.join("\n")
}

fn section(it: &Compared<'_>, declared: bool) -> String {
    let instances = count(it.routes.instances, "instance");
    let mut text = format!("{}  {instances}\n", it.routes.service);
    if declared {
        text.push_str(&it.audit.to_string());
    } else {
        set(&mut text, "mounted", it.table.names());
        if let Some(never) = &it.audit.mounted_never_called {
            let name =
                |it: &bridge_tower::routes::Served| format!("{} {}", it.handler.as_str(), it.path);
            set(&mut text, "mounted, never called", never.iter().map(name));
        }
    }
    if it.audit.mounted_never_called.is_none() {
        text.push_str("mounted, never called: not known, the service counts no requests\n");
    }
    if !it.routes.uncertain.is_empty() {
        let names = it.routes.uncertain.iter().cloned();
        set(&mut text, "too many series to tell whether called", names);
    }
    if !it.unread.is_empty() {
        // A name may have line ends in it.
        let names = it.unread.iter().map(|it| format!("OTHER {it:?}"));
        set(&mut text, "mounted, not compared", names);
    }
    text
}

/// A set of names, drawn as [`Audit`] draws its own.
fn set(text: &mut String, what: &str, names: impl Iterator<Item = String>) {
    let names: Vec<_> = names.collect();
    let _ = writeln!(text, "{what}: {}", names.len());
    for name in names {
        let (method, path) = name.split_once(' ').unwrap_or(("", &name));
        let _ = writeln!(text, "  {method:<8}{path}");
    }
}

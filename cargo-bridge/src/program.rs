//! `map` and `audit`: what a program says about itself, before it serves anybody.

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::args::{self, Audit, Drawing, Output};
use crate::describe::{self, Compared, Description};
use crate::failure::Failure;
use crate::{diagram, live, picture, screen};

/// Draws what a program serves and whom it calls, or asks the running runtime.
pub(crate) fn map(wanted: &args::Map) -> Result<ExitCode, Failure> {
    if wanted.live {
        let words: &[&str] = match wanted.format {
            Drawing::Table => &[],
            Drawing::Json => &["-o", "json"],
            Drawing::Mermaid => &["--format", "mermaid"],
            Drawing::Dot => &["--format", "dot"],
            Drawing::Svg => &["--format", "svg"],
        };
        screen::say(&live::map(words)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let description = describe::required(&wanted.program)?;
    let text = match wanted.format {
        Drawing::Table => table(&description),
        Drawing::Json => {
            screen::json(&machine(&description))?;
            return Ok(ExitCode::SUCCESS);
        }
        Drawing::Mermaid => diagram::mermaid(&description),
        Drawing::Dot => diagram::dot(&description),
        Drawing::Svg => picture::svg(&description),
    };
    screen::say(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(description: &Description) -> String {
    let declared = |method: &str, path: &str| {
        let joined = description
            .audit
            .iter()
            .flat_map(|it| &it.declared_and_mounted);
        let mut found = joined.filter(|it| it.method == method && it.mounted_at == path);
        found.next().map(|it| it.operation.as_str())
    };
    let operation = |name: &str| description.operations.iter().find(|it| it.name == name);
    let mut rows = Vec::new();
    for route in &description.map.routes {
        for method in &route.methods {
            let name = declared(method, &route.path);
            let found = name.and_then(operation);
            rows.push([
                "http".to_owned(),
                format!("{method} {}", route.path),
                name.unwrap_or("-").to_owned(),
                or_dash(found.map_or(String::new(), |it| it.calls.join(", "))),
                or_dash(found.map_or(String::new(), |it| it.site.clone())),
            ]);
        }
    }
    for it in &description.map.fallbacks {
        let [kind, dash] = ["fallback".to_owned(), "-".to_owned()];
        rows.push([kind, it.clone(), dash.clone(), dash.clone(), dash]);
    }
    for it in &description.rpcs {
        rows.push([
            "rpc".to_owned(),
            format!("{}/{}", it.contract, it.name),
            it.name.clone(),
            or_dash(it.calls.join(", ")),
            or_dash(it.site.clone()),
        ]);
    }
    let mut parts = Vec::new();
    if let Some(reason) = &description.map.degraded {
        parts.push(format!(
            "the router's routes cannot be read: {}",
            screen::visible(reason)
        ));
    }
    parts.push(screen::table(
        ["KIND", "SERVED", "OPERATION", "CALLS", "AT"],
        rows,
    ));
    if !description.dependencies.is_empty() {
        let rows = description.dependencies.iter();
        let rows = rows.map(|it| [it.service.clone(), it.contract.clone()]);
        parts.push(screen::table(["DEPENDS ON", "CONTRACT"], rows));
    }
    parts.join("\n\n")
}

fn machine(description: &Description) -> Value {
    let routes = description.map.routes.iter();
    let operations = description.operations.iter();
    json!({
        "service": description.service,
        "degraded": description.map.degraded,
        "routes": routes
            .map(|it| json!({ "path": it.path, "methods": it.methods }))
            .collect::<Vec<_>>(),
        "fallbacks": description.map.fallbacks,
        "operations": operations
            .map(|it| json!({
                "name": it.name, "method": it.method, "path": it.path, "site": it.site,
                "calls": it.calls,
            }))
            .collect::<Vec<_>>(),
        "rpcs": description.rpcs.iter()
            .map(|it| json!({
                "contract": it.contract, "name": it.name, "site": it.site, "calls": it.calls,
            }))
            .collect::<Vec<_>>(),
        "dependencies": description.dependencies.iter()
            .map(|it| json!({ "service": it.service, "contract": it.contract }))
            .collect::<Vec<_>>(),
    })
}

/// Compares declared operations with mounted routes.
pub(crate) fn audit(output: Output, wanted: &Audit) -> Result<ExitCode, Failure> {
    let description = describe::required(&wanted.program)?;
    if let Some(reason) = &description.map.degraded {
        let text = format!("the router's routes cannot be read, so nothing is known: {reason}");
        return Err(Failure::refused(text));
    }
    let Some(audit) = &description.audit else {
        let text = "the program wrote no audit: it has no router, or declares no operation";
        return Err(Failure::refused(text));
    };
    let is_whole = audit.declared_not_mounted.is_empty() && audit.ambiguous.is_empty();
    let is_all = audit.mounted_not_declared.is_empty();
    let sets = [
        (
            "declared_not_mounted",
            "declared, not mounted",
            &audit.declared_not_mounted,
        ),
        (
            "ambiguous",
            "declared, unclear where mounted",
            &audit.ambiguous,
        ),
        (
            "mounted_not_declared",
            "mounted, not declared",
            &audit.mounted_not_declared,
        ),
        (
            "declared_and_mounted",
            "declared and mounted",
            &audit.declared_and_mounted,
        ),
    ];
    match output {
        Output::Json => {
            let all = sets.iter().map(|(key, _, found)| {
                let found: Vec<_> = found.iter().map(compared).collect();
                ((*key).to_owned(), Value::Array(found))
            });
            let mut all: Map<_, _> = all.collect();
            all.insert("refused".to_owned(), json!(description.refused));
            screen::json(&Value::Object(all))?;
        }
        Output::Table => {
            let rows = sets.iter().flat_map(|(_, words, found)| {
                found.iter().map(|it| {
                    [
                        (*words).to_owned(),
                        operation(it),
                        or_dash(it.operation.clone()),
                        note(it),
                    ]
                })
            });
            screen::say(&screen::table(
                ["STATE", "ROUTE", "OPERATION", "NOTE"],
                rows,
            ))?;
            for text in &description.refused {
                screen::say(&format!("\nrefused: {}", screen::visible(text)))?;
            }
        }
    }
    Ok(
        if is_whole && description.refused.is_empty() && (is_all || !wanted.strict) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        },
    )
}

fn compared(it: &Compared) -> Value {
    json!({
        "operation": it.operation, "method": it.method, "path": it.path,
        "mounted_at": it.mounted_at, "mounted_methods": it.mounted_methods, "candidates": it.candidates,
        "elsewhere": it.elsewhere, "hidden_in": it.hidden_in,
    })
}

fn operation(it: &Compared) -> String {
    format!("{} {}", it.method, it.path)
}

fn note(it: &Compared) -> String {
    if !it.mounted_methods.is_empty() {
        return format!("the path answers {}", it.mounted_methods.join(", "));
    }
    if !it.hidden_in.is_empty() {
        return format!("unless inside of {}", it.hidden_in.join(", "));
    }
    if !it.candidates.is_empty() {
        return format!("may be {}", it.candidates.join(", "));
    }
    if !it.mounted_at.is_empty() && it.mounted_at != it.path {
        return format!("at {}", it.mounted_at);
    }
    if !it.elsewhere.is_empty() {
        return format!("not declared: {}", it.elsewhere.join(", "));
    }
    "-".to_owned()
}

fn or_dash(text: String) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        text
    }
}

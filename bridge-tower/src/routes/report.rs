//! An audit for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use super::audit::{Ambiguous, Audit, CANDIDATES_MAX, Declared, Doubt, Served};
use super::methods::Handler;

impl Audit {
    /// The audit as JSON: an array for each set, `null` for what nobody counted.
    pub fn to_json(&self) -> String {
        let never = self.mounted_never_called.as_ref();
        let joined = self.declared_and_mounted.iter().map(|it| {
            let mut json = declared_json(&it.declared);
            json["mounted_at"] = it.path.as_str().into();
            json["exact"] = it.is_exact.into();
            json["elsewhere"] = first(&it.elsewhere).iter().map(String::as_str).collect();
            json
        });
        let missing = self.declared_not_mounted.iter().map(|it| {
            let mut json = declared_json(&it.declared);
            json["mounted_methods"] = it.mounted.handlers().map(Handler::as_str).collect();
            json["hidden_in"] = first(&it.hidden_in).iter().map(String::as_str).collect();
            json
        });
        let ambiguous = self.ambiguous.iter().map(|it| {
            let mut json = declared_json(&it.declared);
            json["candidates"] = first(&it.candidates).iter().map(String::as_str).collect();
            json["candidates_total"] = it.candidates.len().into();
            json["doubt"] = match &it.doubt {
                Doubt::Several => "several",
                Doubt::Shared(_) => "shared",
                Doubt::Hidden => "hidden",
            }
            .into();
            json["shared_with"] = shared(it).iter().map(declared_json).collect();
            json
        });
        let json = json!({
            "declared_and_mounted": joined.collect::<Value>(),
            "declared_not_mounted": missing.collect::<Value>(),
            "ambiguous": ambiguous.collect::<Value>(),
            "mounted_not_declared": self.mounted_not_declared.iter().map(served_json).collect::<Value>(),
            "mounted_never_called": never.map(|it| it.iter().map(served_json).collect::<Value>()),
        });
        json.to_string()
    }
}

fn declared_json(declared: &Declared) -> Value {
    json!({
        "method": declared.verb.as_str(),
        "path": declared.path,
        "operation": declared.operation,
    })
}

fn served_json(served: &Served) -> Value {
    json!({ "method": served.handler.as_str(), "path": served.path })
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = self.declared_and_mounted.iter().map(|it| {
            let note = match it.elsewhere.as_slice() {
                _ if !it.is_exact => format!("nested at {}", it.path),
                [] => String::new(),
                others => format!("not declared: {}", first(others).join(", ")),
            };
            (&it.declared, note)
        });
        let missing = self.declared_not_mounted.iter().map(|it| {
            let note = match (it.mounted.is_empty(), it.hidden_in.as_slice()) {
                (false, _) => format!("mounted with {}", it.mounted),
                (true, []) => String::new(),
                (true, services) => format!("unless inside of {}", first(services).join(", ")),
            };
            (&it.declared, note)
        });
        let ambiguous = self
            .ambiguous
            .iter()
            .map(|it| (&it.declared, it.to_string()));
        declarations(f, "declared and mounted", joined)?;
        declarations(f, "declared, not mounted", missing)?;
        declarations(f, "declared, ambiguous", ambiguous)?;
        mounted(f, "mounted, not declared", &self.mounted_not_declared)?;
        if let Some(never) = &self.mounted_never_called {
            mounted(f, "mounted, never called", never)?;
        }
        Ok(())
    }
}

/// Those of many that a report names.
fn first<T>(all: &[T]) -> &[T] {
    &all[..all.len().min(CANDIDATES_MAX)]
}

fn shared(it: &Ambiguous) -> &[Declared] {
    match &it.doubt {
        Doubt::Shared(with) => first(with),
        Doubt::Several | Doubt::Hidden => &[],
    }
}

impl Ambiguous {
    /// Its candidates for people: `/v1/orders or /v2/orders`, and how many more there are where
    /// there are more than [`CANDIDATES_MAX`].
    pub fn routes(&self) -> String {
        let named = first(&self.candidates).join(" or ");
        match self.candidates.len().saturating_sub(CANDIDATES_MAX) {
            0 => named,
            more => format!("{named} or one of {more} more"),
        }
    }
}

/// `may be /v1/orders or /v2/orders, as may list`
impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "may be {}", self.routes())?;
        for (at, with) in shared(self).iter().enumerate() {
            let before = if at == 0 { ", as may" } else { "," };
            write!(f, "{before} {}", with.operation)?;
        }
        Ok(())
    }
}

fn declarations<'a>(
    f: &mut fmt::Formatter<'_>,
    set: &str,
    lines: impl ExactSizeIterator<Item = (&'a Declared, String)>,
) -> fmt::Result {
    writeln!(f, "{set}: {}", lines.len())?;
    for (declared, note) in lines {
        let Declared {
            verb,
            path,
            operation,
        } = declared;
        let line = format!("  {:<8}{path:<32} {operation:<24} {note}", verb.as_str());
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

fn mounted(f: &mut fmt::Formatter<'_>, set: &str, lines: &[Served]) -> fmt::Result {
    writeln!(f, "{set}: {}", lines.len())?;
    for Served { path, handler } in lines {
        writeln!(f, "  {:<8}{path}", handler.as_str())?;
    }
    Ok(())
}

//! Where the application is served: the expression that is the router there.
//!
//! Knows `axum::serve`, `into_make_service` in both forms (so `axum_server`, too), and
//! `serve_http` of a bridge. A router that was wrapped in other services is followed to where it is
//! still a router. Refuses to guess at anything else, such as a loop of one's own over connections.
//!
//! Invariant: a site's range is an expression that the source says is a router.

use std::ops::Range;

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Expr, Pat};

use super::names::{Found, words};
use super::source::{FileId, ModuleId, Sources};
use super::syntax::expressions;

/// Bindings that are followed from one to the next.
const FOLLOWED_MAX: usize = 16;

/// A place where an application is served.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) file: FileId,
    pub(super) module: ModuleId,
    /// The router.
    pub(super) router: Range<usize>,
    pub(super) form: Form,
}

/// What is around the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing of ours.
    Plain,
    /// `bridge::observe(…)`: what is replaced by `declare`, and where its second argument goes.
    Observed { callee: Range<usize>, close: usize },
    /// `bridge::declare(…)`: the handlers it is given.
    Declared { handlers: Range<usize> },
    /// A bridge serves it, which was given its handlers when it was built.
    ByBridge,
}

/// Every site, in the order of the source.
pub(super) fn sites(sources: &Sources) -> Vec<Site> {
    let mut sites: Vec<Site> = Vec::new();
    for function in &sources.functions {
        let mut found = Finder {
            sources,
            module: function.module,
            file: function.file,
            bindings: Vec::new(),
            sites: Vec::new(),
        };
        found.visit_block(&function.block);
        for site in found.sites {
            let is_new = |it: &&Site| it.file == site.file && it.router == site.router;
            if !sites.iter().any(|it| is_new(&it)) {
                sites.push(site);
            }
        }
    }
    sites
}

#[derive(Clone)]
struct Binding<'s> {
    name: String,
    made_of: &'s Expr,
    /// From here on it is that.
    end: usize,
}

struct Finder<'s> {
    sources: &'s Sources,
    module: ModuleId,
    file: FileId,
    /// What variables were made of, in the order of the source.
    bindings: Vec<Binding<'s>>,
    sites: Vec<Site>,
}

impl<'s> Visit<'s> for Finder<'s> {
    fn visit_local(&mut self, local: &'s syn::Local) {
        visit::visit_local(self, local);
        let pattern = match &local.pat {
            Pat::Type(it) => &*it.pat,
            other => other,
        };
        if let (Pat::Ident(name), Some(init)) = (pattern, &local.init) {
            self.bindings.push(Binding {
                name: name.ident.to_string(),
                made_of: &init.expr,
                end: self.sources.range(self.file, local.span()).end,
            });
        }
    }

    fn visit_expr_call(&mut self, call: &'s syn::ExprCall) {
        visit::visit_expr_call(self, call);
        if self.is_serve(&call.func) && call.args.len() == 2 {
            self.found(&call.args[1], false);
        } else if self.form_of_call(call) != Form::Plain {
            // Wherever it is served from there.
            self.found_call(call);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'s syn::ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        let name = call.method.to_string();
        match (name.as_str(), call.args.len()) {
            ("into_make_service", 0) | ("into_make_service_with_connect_info", 0) => {
                self.found(&call.receiver, false);
            }
            ("serve_http", 2) => self.found(&call.args[1], true),
            _ => {}
        }
    }

    fn visit_macro(&mut self, call: &'s syn::Macro) {
        let all = expressions(call);
        let mut inner = Finder {
            sources: self.sources,
            module: self.module,
            file: self.file,
            bindings: self.bindings.clone(),
            sites: Vec::new(),
        };
        all.iter().for_each(|it| inner.visit_expr(it));
        let sites = std::mem::take(&mut inner.sites);
        self.sites.extend(sites);
    }
}

impl<'s> Finder<'s> {
    fn is_serve(&self, callee: &Expr) -> bool {
        let Expr::Path(callee) = callee else {
            return false;
        };
        let found = self.sources.resolve(self.module, &words(&callee.path));
        let Found::Outside(path) = found else {
            return false;
        };
        matches!(&path[..], [.., before, last] if before == "axum" && last == "serve")
            || matches!(&path[..], [.., axum, before, last]
                if axum == "axum" && before == "serve" && last == "serve")
    }

    fn found(&mut self, served: &Expr, by_bridge: bool) {
        let mut spot = served;
        for _ in 0..FOLLOWED_MAX {
            match self.inner(spot) {
                Some(inner) => spot = inner,
                None => break,
            }
        }
        let form = if by_bridge {
            Form::ByBridge
        } else {
            self.form(spot)
        };
        let router = match (&form, self.made_of(spot)) {
            (Form::Observed { .. } | Form::Declared { .. }, Expr::Call(it)) => &it.args[0],
            _ => spot,
        };
        self.sites.push(Site {
            file: self.file,
            module: self.module,
            router: self.sources.range(self.file, router.span()),
            form,
        });
    }

    /// What a variable was made of, where it is used: a later one of its name is another.
    fn binding(&self, variable: &syn::ExprPath) -> Option<&'s Expr> {
        let name = variable.path.get_ident()?;
        let at = self.sources.range(self.file, variable.span()).start;
        let before = self.bindings.iter().rev().filter(|it| it.end <= at);
        let mut named = before.filter(|it| name == &it.name);
        named.next().map(|it| it.made_of)
    }

    fn found_call(&mut self, call: &syn::ExprCall) {
        self.sites.push(Site {
            file: self.file,
            module: self.module,
            router: self.sources.range(self.file, call.args[0].span()),
            form: self.form_of_call(call),
        });
    }

    /// What a service was made around, when this is not the router yet.
    fn inner<'e>(&self, expression: &'e Expr) -> Option<&'e Expr>
    where
        's: 'e,
    {
        match expression {
            Expr::Paren(it) => Some(&it.expr),
            Expr::MethodCall(it) => {
                let name = it.method.to_string();
                match (name.as_str(), it.args.len()) {
                    (
                        "into_make_service"
                        | "into_make_service_with_connect_info"
                        | "into_service",
                        0,
                    ) => Some(&it.receiver),
                    ("map_request" | "map_response" | "map_err" | "map_result", 1) => {
                        Some(&it.receiver)
                    }
                    // `ServiceBuilder::new().….service(router)`, `SomeLayer::new().layer(router)`
                    ("service", 1) => Some(&it.args[0]),
                    ("layer", 1) if is_made_of_a_layer(&it.receiver) => Some(&it.args[0]),
                    _ => None,
                }
            }
            Expr::Call(it) => {
                let Expr::Path(callee) = &*it.func else {
                    return None;
                };
                let path = words(&callee.path);
                let last = path.last().map(String::as_str).unwrap_or_default();
                let is_wrapper = matches!(
                    last,
                    "into_make_service" | "into_make_service_with_connect_info"
                ) || path
                    .iter()
                    .any(|it| it == "NormalizePath" || it == "Shared");
                it.args.first().filter(|_| is_wrapper)
            }
            Expr::Path(it) => {
                let made: &'e Expr = self.binding(it)?;
                // A variable is the router itself, unless what it was made of is a service.
                self.inner(made).map(|_| made)
            }
            _ => None,
        }
    }

    /// The expression that a variable was made of, else itself.
    fn made_of<'e>(&self, expression: &'e Expr) -> &'e Expr
    where
        's: 'e,
    {
        let Expr::Path(it) = expression else {
            return expression;
        };
        self.binding(it)
            .filter(|it| self.form(it) != Form::Plain)
            .unwrap_or(expression)
    }

    fn form(&self, expression: &Expr) -> Form {
        if let Expr::Path(_) = expression {
            let made = self.made_of(expression);
            return match made {
                Expr::Path(_) => Form::Plain,
                made => self.form(made),
            };
        }
        if let Expr::MethodCall(it) = expression {
            // `bridge::observe(app).limit(…)`
            return self.form(&it.receiver);
        }
        match expression {
            Expr::Call(call) => self.form_of_call(call),
            _ => Form::Plain,
        }
    }

    fn form_of_call(&self, call: &syn::ExprCall) -> Form {
        let Expr::Path(callee) = &*call.func else {
            return Form::Plain;
        };
        let found = self.sources.resolve(self.module, &words(&callee.path));
        let range = |span| self.sources.range(self.file, span);
        match found {
            Found::Outside(path) if path == ["bridge", "observe"] && call.args.len() == 1 => {
                Form::Observed {
                    callee: range(callee.span()),
                    close: range(call.paren_token.span.close()).start,
                }
            }
            Found::Outside(path) if path == ["bridge", "declare"] && call.args.len() == 2 => {
                Form::Declared {
                    handlers: range(call.args[1].span()),
                }
            }
            _ => Form::Plain,
        }
    }
}

/// Whether something named like a layer begins the chain.
fn is_made_of_a_layer(expression: &Expr) -> bool {
    match expression {
        Expr::MethodCall(it) => is_made_of_a_layer(&it.receiver),
        Expr::Call(it) => is_made_of_a_layer(&it.func),
        Expr::Path(it) => {
            let mut words = it.path.segments.iter().map(|it| it.ident.to_string());
            words.any(|it| it.ends_with("Layer") || it == "ServiceBuilder")
        }
        _ => false,
    }
}

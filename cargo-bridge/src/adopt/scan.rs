//! What routers the source builds: expressions evaluated as far as routes are concerned.
//!
//! Knows `Router` and `MethodRouter` and follows functions, bindings and branches; whatever else is
//! done with a router leaves its routes as they are. A branch that may be taken is taken.
//!
//! Invariant: a function is evaluated once for itself, and at most [`APPLICATIONS_MAX`] times in all for
//! what it is given, so the work is bounded.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use syn::spanned::Spanned as _;
use syn::{Block, Expr, Pat, Stmt};

use super::handlers::Handlers;
use super::mount::{Hidden, Mount, Place, Value};
use super::names::{Found, words};
use super::source::{FileId, FunctionId, ModuleId, Sources};
use super::syntax::{expressions, text_of};

/// Evaluations of functions for what they are given.
const APPLICATIONS_MAX: usize = 20_000;
/// Methods that leave a text as it is.
const SAME_TEXT: [&str; 7] = [
    "as_ref",
    "as_str",
    "clone",
    "into",
    "to_owned",
    "to_string",
    "borrow",
];

/// Variables of a function.
type Env = HashMap<String, Value>;

/// The evaluation of all functions.
pub(super) struct Scan<'s> {
    sources: &'s Sources,
    made: HashMap<FunctionId, Value>,
    active: HashSet<FunctionId>,
    /// Functions that were evaluated again for what they were given.
    applications: usize,
    /// Functions of `impl` blocks by name.
    methods: HashMap<&'s str, Vec<FunctionId>>,
    /// Expressions whose value is wanted.
    watched: HashMap<(FileId, Range<usize>), Value>,
    /// Every route of any function, as far as it is known there.
    seen: HashSet<Mount>,
    hidden: BTreeSet<Hidden>,
}

/// Where an expression stands.
struct Cx<'e> {
    module: ModuleId,
    file: FileId,
    env: &'e mut Env,
    returned: Option<Value>,
}

impl<'s> Scan<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        let mut methods = HashMap::<&str, Vec<FunctionId>>::new();
        for (id, function) in sources.functions.iter().enumerate() {
            if function.is_method {
                methods.entry(&function.name).or_default().push(id);
            }
        }
        Self {
            sources,
            made: HashMap::new(),
            active: HashSet::new(),
            applications: 0,
            methods,
            watched: HashMap::new(),
            seen: HashSet::new(),
            hidden: BTreeSet::new(),
        }
    }

    /// Evaluates every function; then the value of each watched expression is known.
    pub(super) fn run(&mut self, watched: impl IntoIterator<Item = (FileId, Range<usize>)>) {
        let watched = watched.into_iter();
        self.watched = watched.map(|it| (it, Value::Unknown)).collect();
        for id in 0..self.sources.functions.len() {
            self.function(id);
        }
    }

    /// What a watched expression is.
    pub(super) fn value(&self, file: FileId, range: &Range<usize>) -> Value {
        let found = self.watched.get(&(file, range.clone()));
        found.cloned().unwrap_or_default()
    }

    /// Every route that is built anywhere.
    pub(super) fn all(&self) -> Vec<Mount> {
        self.seen.iter().cloned().collect()
    }

    /// Where routers are given what nothing is known of.
    pub(super) fn hidden(&self) -> Vec<Hidden> {
        self.hidden.iter().cloned().collect()
    }

    /// What a function returns, whatever it is given.
    fn function(&mut self, id: FunctionId) -> Value {
        if let Some(known) = self.made.get(&id) {
            return known.clone();
        }
        let value = self.evaluate(id, &[]);
        if let Value::Router(mounts) = &value {
            self.seen.extend(mounts.iter().cloned());
        }
        self.made.insert(id, value.clone());
        value
    }

    /// What a function returns when it is given these.
    fn applied(&mut self, id: FunctionId, given: &[Value]) -> Value {
        if given.iter().all(Value::is_unknown) || self.applications >= APPLICATIONS_MAX {
            return self.function(id);
        }
        self.applications += 1;
        self.evaluate(id, given)
    }

    fn evaluate(&mut self, id: FunctionId, given: &[Value]) -> Value {
        if !self.active.insert(id) {
            return Value::Unknown;
        }
        let function = &self.sources.functions[id];
        let mut env = Env::new();
        for (pattern, value) in function.arguments.iter().zip(given) {
            bind(pattern, value, &mut env);
        }
        let mut cx = Cx {
            module: function.module,
            file: function.file,
            env: &mut env,
            returned: None,
        };
        let tail = self.block(&mut cx, &function.block);
        self.active.remove(&id);
        match cx.returned {
            None => tail,
            Some(returned) => tail.or(returned),
        }
    }

    fn block(&mut self, cx: &mut Cx<'_>, block: &Block) -> Value {
        let mut tail = Value::Unknown;
        for statement in &block.stmts {
            tail = Value::Unknown;
            match statement {
                Stmt::Local(local) => {
                    let Some(init) = &local.init else { continue };
                    let value = self.value_of(cx, &init.expr);
                    if let Some((_, otherwise)) = &init.diverge {
                        self.value_of(cx, otherwise);
                    }
                    bind(&local.pat, &value, cx.env);
                }
                Stmt::Expr(expression, None) => tail = self.value_of(cx, expression),
                Stmt::Expr(expression, Some(_)) => {
                    self.value_of(cx, expression);
                }
                Stmt::Macro(it) => {
                    self.inside_macro(cx, &it.mac);
                }
                Stmt::Item(_) => {}
            }
        }
        tail
    }

    fn value_of(&mut self, cx: &mut Cx<'_>, expression: &Expr) -> Value {
        let value = self.evaluated(cx, expression);
        if !self.watched.is_empty() {
            let range = self.sources.range(cx.file, expression.span());
            if let Some(wanted) = self.watched.get_mut(&(cx.file, range)) {
                *wanted = std::mem::take(wanted).and(value.clone());
            }
        }
        value
    }

    fn evaluated(&mut self, cx: &mut Cx<'_>, expression: &Expr) -> Value {
        match expression {
            Expr::Lit(_) => text_of(expression).map_or(Value::Unknown, Value::Text),
            Expr::Path(it) => self.named(cx, &it.path),
            Expr::Reference(it) => self.value_of(cx, &it.expr),
            Expr::Paren(it) => self.value_of(cx, &it.expr),
            Expr::Group(it) => self.value_of(cx, &it.expr),
            Expr::Try(it) => self.value_of(cx, &it.expr),
            Expr::Await(it) => self.value_of(cx, &it.base),
            Expr::Block(it) => self.block(cx, &it.block),
            Expr::Unsafe(it) => self.block(cx, &it.block),
            Expr::Async(it) => self.block(cx, &it.block),
            Expr::If(it) => {
                self.value_of(cx, &it.cond);
                let then = self.block(cx, &it.then_branch);
                match &it.else_branch {
                    Some((_, otherwise)) => then.or(self.value_of(cx, otherwise)),
                    None => then,
                }
            }
            Expr::Match(it) => {
                self.value_of(cx, &it.expr);
                let arms = it.arms.iter().map(|arm| self.value_of(cx, &arm.body));
                arms.reduce(Value::or).unwrap_or_default()
            }
            Expr::Assign(it) => self.assigned(cx, it),
            Expr::Return(it) => {
                if let Some(expression) = &it.expr {
                    let value = self.value_of(cx, expression);
                    cx.returned = Some(match cx.returned.take() {
                        None => value,
                        Some(other) => other.or(value),
                    });
                }
                Value::Unknown
            }
            Expr::Call(it) => self.called(cx, it),
            Expr::MethodCall(it) => self.method_called(cx, it),
            _ => self.parts(cx, expression),
        }
    }

    /// Expressions that only hold others.
    fn parts(&mut self, cx: &mut Cx<'_>, expression: &Expr) -> Value {
        match expression {
            Expr::Closure(it) => {
                self.value_of(cx, &it.body);
                Value::Unknown
            }
            Expr::Tuple(it) => self.sum(cx, &it.elems),
            Expr::Array(it) => self.sum(cx, &it.elems),
            Expr::Struct(it) => {
                let fields = it.fields.iter();
                fields.fold(Value::Unknown, |all, field| {
                    all.and(self.value_of(cx, &field.expr))
                })
            }
            Expr::ForLoop(it) => self.block(cx, &it.body),
            Expr::While(it) => self.block(cx, &it.body),
            Expr::Loop(it) => self.block(cx, &it.body),
            Expr::Macro(it) => self.inside_macro(cx, &it.mac),
            Expr::Let(it) => {
                let value = self.value_of(cx, &it.expr);
                bind(&it.pat, &value, cx.env);
                Value::Unknown
            }
            Expr::Binary(it) => {
                self.value_of(cx, &it.left);
                self.value_of(cx, &it.right);
                Value::Unknown
            }
            Expr::Field(it) => self.value_of(cx, &it.base),
            Expr::Break(it) => match &it.expr {
                Some(value) => self.value_of(cx, value),
                None => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    fn sum<'e>(&mut self, cx: &mut Cx<'_>, all: impl IntoIterator<Item = &'e Expr>) -> Value {
        let all = all.into_iter();
        all.fold(Value::Unknown, |sum, it| sum.and(self.value_of(cx, it)))
    }

    /// Arguments of a macro that are expressions, such as those of `join!`.
    fn inside_macro(&mut self, cx: &mut Cx<'_>, call: &syn::Macro) -> Value {
        let all = expressions(call);
        self.sum(cx, &all)
    }

    fn named(&self, cx: &Cx<'_>, path: &syn::Path) -> Value {
        if let Some(known) = path.get_ident().and_then(|it| cx.env.get(&it.to_string())) {
            return known.clone();
        }
        match self.sources.resolve(cx.module, &words(path)) {
            Found::Text(text) => Value::Text(text),
            _ => Value::Unknown,
        }
    }

    fn assigned(&mut self, cx: &mut Cx<'_>, it: &syn::ExprAssign) -> Value {
        let value = self.value_of(cx, &it.right);
        if let Expr::Path(left) = &*it.left
            && let Some(name) = left.path.get_ident()
        {
            let known = cx.env.entry(name.to_string()).or_default();
            *known = std::mem::take(known).or(value);
        }
        Value::Unknown
    }

    fn called(&mut self, cx: &mut Cx<'_>, call: &syn::ExprCall) -> Value {
        let Expr::Path(callee) = &*call.func else {
            return self.sum(cx, &call.args);
        };
        let found = self.sources.resolve(cx.module, &words(&callee.path));
        let path = match found {
            Found::Function(id) => {
                let given: Vec<Value> = call.args.iter().map(|it| self.value_of(cx, it)).collect();
                return self.applied(id, &given);
            }
            Found::Outside(path) => path,
            _ => return self.sum(cx, &call.args),
        };
        let last = path.last().map(String::as_str).unwrap_or_default();
        let before = path
            .iter()
            .rev()
            .nth(1)
            .map(String::as_str)
            .unwrap_or_default();
        if let ("String", "from", Some(text)) = (before, last, call.args.first()) {
            return self.value_of(cx, text);
        }
        if last == "new" && before.ends_with("MethodRouter") {
            return Value::Methods(Vec::new());
        }
        if matches!(last, "new" | "default" | "with_openapi") && before.ends_with("Router") {
            return Value::Router(Vec::new());
        }
        let is_routing = path.len() == 1 || path.iter().any(|it| it == "routing");
        match self
            .handlers(cx)
            .answers(last, &call.args)
            .filter(|_| is_routing)
        {
            Some(methods) => Value::Methods(methods),
            None if before == "Self" => {
                let given = call.args.iter().map(|it| self.value_of(cx, it)).collect();
                self.some_method(last, given)
            }
            None => self.sum(cx, &call.args),
        }
    }

    /// A function of an `impl` block, where only one has that name.
    fn some_method(&mut self, name: &str, given: Vec<Value>) -> Value {
        let made = match self.methods.get(name).map(Vec::as_slice) {
            Some(&[only]) => self.applied(only, &given),
            _ => Value::Unknown,
        };
        if made.is_unknown() {
            return given.into_iter().fold(made, Value::and);
        }
        made
    }

    fn handlers<'a>(&'a self, cx: &'a Cx<'_>) -> Handlers<'a> {
        Handlers {
            sources: self.sources,
            methods: &self.methods,
            module: cx.module,
            file: cx.file,
            variables: cx.env,
        }
    }

    fn method_called(&mut self, cx: &mut Cx<'_>, call: &syn::ExprMethodCall) -> Value {
        let receiver = self.value_of(cx, &call.receiver);
        let name = call.method.to_string();
        if matches!(receiver, Value::Methods(_)) {
            let more = self.handlers(cx).answers(&name, &call.args);
            return receiver.and(Value::Methods(more.unwrap_or_default()));
        }
        if let ("routes", Some(Expr::Macro(list))) = (name.as_str(), call.args.first()) {
            let added = self.handlers(cx).documented(&list.mac);
            return self.with_more(receiver, added);
        }
        if let Some(added) = self.handlers(cx).typed(&name, &call.args) {
            return self.with_more(receiver, added);
        }
        let arguments: Vec<Value> = call.args.iter().map(|it| self.value_of(cx, it)).collect();
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        self.note_hidden(cx, &name, call, &arguments);
        match (name.as_str(), &arguments[..]) {
            ("route" | "api_route", [path, methods @ Value::Methods(_)]) => {
                let added = Value::default().route(text(path).as_deref(), methods.clone());
                self.seen
                    .extend(added.router().unwrap_or_default().iter().cloned());
                receiver.and(added)
            }
            ("nest" | "nest_api_service", [prefix, inner]) => {
                receiver.nest(text(prefix).as_deref(), inner.clone())
            }
            ("merge" | "and" | "or", [other]) => receiver.and(other.clone()),
            _ if receiver.is_unknown() => self.some_method(&name, arguments),
            _ => rest(receiver, &name, call, arguments),
        }
    }
}

impl Scan<'_> {
    fn with_more(&mut self, router: Value, added: Vec<Mount>) -> Value {
        self.seen.extend(added.iter().cloned());
        router.and(Value::Router(added))
    }

    /// A router, or what answers at a path, that is made by what nothing is known of.
    fn note_hidden(
        &mut self,
        cx: &Cx<'_>,
        name: &str,
        call: &syn::ExprMethodCall,
        given: &[Value],
    ) {
        let part = match (name, given) {
            ("merge", [Value::Unknown]) => "",
            ("nest" | "nest_service" | "route", [Value::Text(path), Value::Unknown]) => path,
            ("nest" | "route", [_, Value::Unknown]) => "",
            _ => return,
        };
        // A variable is an argument of this function, or something that was noted where it was made.
        let Some(made) = call.args.last().filter(|it| !matches!(it, Expr::Path(_))) else {
            return;
        };
        self.hidden.insert(Hidden {
            place: Place {
                file: cx.file,
                at: self.sources.range(cx.file, made.span()).start,
            },
            part: part.trim_end_matches('/').to_owned(),
        });
    }
}

/// What any other method makes of a value.
fn rest(receiver: Value, name: &str, call: &syn::ExprMethodCall, given: Vec<Value>) -> Value {
    if let Value::Text(_) = receiver {
        let is_same = SAME_TEXT.contains(&name);
        return if is_same { receiver } else { Value::Unknown };
    }
    let is_axum = name.ends_with("fallback") || name.ends_with("layer");
    let works_on_it = call.args.iter().any(|it| matches!(it, Expr::Closure(_)));
    let receiver = if works_on_it && !is_axum {
        // A closure may nest it.
        Value::default().nest(None, receiver)
    } else {
        receiver
    };
    // What is done with another router is not known.
    let routers = given.into_iter().filter(|it| it.router().is_some());
    routers.fold(receiver, |all, it| all.nest(None, it))
}

/// Names of a pattern get the value: which part of it belongs to which is not known.
fn bind(pattern: &Pat, value: &Value, env: &mut Env) {
    match pattern {
        Pat::Ident(it) => {
            env.insert(it.ident.to_string(), value.clone());
        }
        Pat::Type(it) => bind(&it.pat, value, env),
        Pat::Reference(it) => bind(&it.pat, value, env),
        Pat::Tuple(it) => it.elems.iter().for_each(|it| bind(it, value, env)),
        Pat::TupleStruct(it) => it.elems.iter().for_each(|it| bind(it, value, env)),
        Pat::Struct(it) => it.fields.iter().for_each(|it| bind(&it.pat, value, env)),
        _ => {}
    }
}

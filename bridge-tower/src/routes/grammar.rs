//! What axum 0.8 prints for a `Router`, as a grammar.
//!
//! One token decides each step, and no rule contains itself, so a reader needs no look-ahead and a
//! stack of fixed depth.

use crate::record::Verb;

use Step::{
    Allow, AllowBytes, Endpoint, Fallback, Flag, Handler, Id, Is, Path, Paths, Routes, RoutesEnd,
};

/// One step of the grammar.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// These words, one after the other.
    Is(&'static str),
    /// `RouteId(1): <endpoint>, …}`
    Routes,
    /// `RouteId(1): "/orders", …}`
    Paths,
    /// Behind an entry: `,` and one more, or `}`.
    More(&'static [Step]),
    Id,
    Path,
    Endpoint,
    Handler(Verb),
    Fallback,
    Allow,
    AllowBytes,
    Flag,
    /// What was read are the routes; the fallbacks follow.
    RoutesEnd,
}

pub(super) const ROUTER: &[Step] = &[
    Is("Router { path_router : PathRouter { routes : {"),
    Routes,
    Is(", node : Node { paths : {"),
    Paths,
    Is("} }"),
    RoutesEnd,
    Is(", fallback_router : PathRouter { routes : {"),
    Routes,
    Is(", node : Node { paths : {"),
    Paths,
    Is("} } , default_fallback :"),
    Flag,
    Is(", catch_all_fallback :"),
    Fallback,
    Is("}"),
];

pub(super) const ROUTE: &[Step] = &[Is("RouteId ("), Id, Is(") :"), Endpoint];
pub(super) const PATH: &[Step] = &[Is("RouteId ("), Id, Is(") :"), Path];
pub(super) const ALLOW: &[Step] = &[Is("("), AllowBytes, Is(")")];

pub(super) const METHOD_ROUTER: &[Step] = &[
    Is("( MethodRouter { get :"),
    Handler(Verb::Get),
    Is(", head :"),
    Handler(Verb::Head),
    Is(", delete :"),
    Handler(Verb::Delete),
    Is(", options :"),
    Handler(Verb::Options),
    Is(", patch :"),
    Handler(Verb::Patch),
    Is(", post :"),
    Handler(Verb::Post),
    Is(", put :"),
    Handler(Verb::Put),
    Is(", trace :"),
    Handler(Verb::Trace),
    Is(", connect :"),
    Handler(Verb::Connect),
    Is(", fallback :"),
    Fallback,
    Is(", allow_header :"),
    Allow,
    Is("} )"),
];

//! Which of the applications that a program serves is adopted.
//!
//! A program may serve another one beside, such as metrics on a port of their own. The one with the
//! most handlers is taken, everywhere that its module serves it.
//!
//! Invariant: what is left alone is noted with its place.

use std::collections::BTreeSet;

use crate::failure::Failure;

use super::mount::{Mount, Target, Value};
use super::scan::Scan;
use super::serve::Site;
use super::source::{FunctionId, Sources};
use super::workspace::Workspace;

/// Where the application is served, and what it is made of there. Where several are served, the one
/// with the most handlers. Refuses one that is served from a file that is not the workspace's.
pub(super) fn served(
    workspace: &Workspace,
    sources: &Sources,
    scan: &Scan<'_>,
    sites: Vec<Site>,
    notes: &mut Vec<String>,
) -> Result<(Vec<Site>, Vec<Mount>), Failure> {
    let at = |site: &Site| {
        let file = workspace.shown(&sources.files[site.file].path);
        let line = sources.line(site.file, site.router.start);
        format!("{file}:{line}")
    };
    let value = |site: &Site| match scan.value(site.file, &site.router) {
        Value::Router(mounts) => mounts,
        _ => Vec::new(),
    };
    let handlers = |site: &Site| -> BTreeSet<FunctionId> {
        let mounts = value(site).into_iter();
        mounts
            .filter_map(|it| match it.target {
                Target::Function(id) => Some(id),
                Target::Other(_) => None,
            })
            .collect()
    };
    let Some(first) = sites.iter().rev().max_by_key(|it| handlers(it).len()) else {
        return Err(Failure::refused(
            "no place is found where the application is served: adopt knows `axum::serve(listener, \
             app)`, `into_make_service()` and `Bridge::serve_http`. Put `bridge::observe(app)` around \
             the router by hand, where one of them can be seen",
        ));
    };
    let (wanted, composed) = (handlers(first), value(first));
    let (same, others): (Vec<Site>, Vec<Site>) =
        sites.iter().cloned().partition(|it| handlers(it) == wanted);
    for other in others {
        let at = at(&other);
        notes.push(format!(
            "note: {at}: serves another application, left alone"
        ));
    }
    let home = first.module;
    let (mut near, far): (Vec<Site>, Vec<Site>) =
        same.into_iter().partition(|it| it.module == home);
    for other in far {
        let at = at(&other);
        notes.push(format!("note: {at}: serves it as well, left alone"));
    }
    if let Some(outside) = near
        .iter()
        .find(|it| !workspace.holds(&sources.files[it.file].path))
    {
        return Err(Failure::refused(format!(
            "{}: serves the application, and is outside of the workspace's folder {}, or behind a \
             link in it: adopt changes only what is in the workspace's own folders. Move its package \
             there, or call adopt where the files are",
            at(outside),
            workspace.root.display()
        )));
    }
    near.sort_by_key(|it| (it.file, it.router.start));
    Ok((near, composed))
}

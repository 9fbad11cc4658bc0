//! `GET /metrics`: the runtime and everything that services report, for a scraper.
//!
//! Refuses nothing that a scraper may ask; what is beyond the bound of series is counted.
//!
//! Invariant: an answer is valid in the format it claims to be, whatever services report.

mod names;
mod text;
mod reported;
mod process;
mod own;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

use super::otlp::Otlp;
use super::parts::Parts;
use text::{Family, Format};

pub(super) fn routes(parts: &Parts, otlp: &Otlp) -> Router {
    let own = own::Parts {
        db: parts.db.clone(),
        clock: parts.clock.clone(),
        started: parts.started,
        presence: parts.presence.clone(),
        registry: parts.registry.clone(),
        outcomes: parts.outcomes.clone(),
        telemetry: parts.telemetry.clone(),
        tasks: parts.tasks.clone(),
        otlp: otlp.clone(),
    };
    Router::new().route("/metrics", get(scrape)).with_state(own)
}

async fn scrape(State(parts): State<own::Parts>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get_all(ACCEPT).iter();
    let accept: Vec<&str> = accept.filter_map(|it| it.to_str().ok()).collect();
    let format = Format::wanted(&accept.join(","));
    let mut families = own::families(&parts).await;
    let registry = parts.registry.clone();
    let totals = parts.telemetry.metrics().totals(|it| registry.is_here(it));
    let taken = families.iter().flat_map(Family::line_names);
    let taken: Vec<String> = taken.collect();
    let name_of = |id| registry.service_name(id).unwrap_or_else(|| id.to_string());
    families.extend(reported::families(totals, taken, name_of));
    let text = text::write(&families, format);
    ([(CONTENT_TYPE, format.content_type())], text)
}

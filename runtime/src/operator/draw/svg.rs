//! The map as a picture for a document: SVG that needs nothing else, light or dark as its reader
//! prefers.
//!
//! Invariant: the same map gives the same picture, byte for byte.

use std::fmt::Write as _;

use super::card::{Card, cards};
use super::ink::{LEGEND, STYLE, escape, listed, width};
use super::layout::Layout;
use super::shape::{Graph, Point, Size, Wire};
use super::words;
use crate::operator::model::{Link, LiveMap};

/// Space around the picture, and between its parts.
const MARGIN: f64 = 28.0;
/// Room for the title.
const HEAD: f64 = 62.0;
/// Room for the legend.
const FOOT: f64 = 46.0;
/// Narrowest picture: the legend fits.
const WIDTH_MIN: f64 = 640.0;
/// Longest method on an arrow, in letters.
const METHOD_MAX: usize = 26;
/// Failed ones of a hundred from which an arrow is red.
const FAILING_PERCENT: f64 = 5.0;

/// A picture of who calls whom, how often, how well and how fast.
pub fn svg(map: &LiveMap, title: &str) -> String {
    let cards = cards(map);
    let place = |name: &str| cards.iter().position(|it| it.name == name);
    let labels: Vec<_> = map.links.iter().map(label).collect();
    let wires = map.links.iter().zip(&labels).map(|(link, label)| Wire {
        // Every name of a link has a box.
        from: place(&link.from).unwrap_or(0),
        to: place(&link.to).unwrap_or(0),
        label: label_size(label),
    });
    let graph = Graph {
        nodes: cards.iter().map(Card::size).collect(),
        wires: wires.collect(),
    };
    let layout = Layout::of(&graph);
    let mut text = head(map, title, layout.size);
    for (at, link) in map.links.iter().enumerate() {
        let from = layout.nodes[graph.wires[at].from];
        let size = graph.nodes[graph.wires[at].from];
        draw_link(&mut text, link, &layout.routes[at].points, (from, size));
    }
    for (it, corner) in cards.iter().zip(&layout.nodes) {
        it.draw(&mut text, *corner);
    }
    for (at, label) in labels.iter().enumerate() {
        if !layout.routes[at].points.is_empty() {
            draw_label(&mut text, label, layout.routes[at].label);
        }
    }
    text.push_str("</g>\n");
    legend(&mut text, map, layout.size);
    text.push_str("</svg>\n");
    text
}

/// What stands on an arrow, line by line.
fn label(link: &Link) -> Vec<String> {
    let methods = match &link.methods[..] {
        [one] => {
            let name = one.split_once(' ').map_or(&**one, |(_, name)| name);
            words::elide(name, METHOD_MAX)
        }
        more if more.iter().all(|it| it.starts_with("http ")) => words::count(more.len(), "route"),
        more => words::count(more.len(), "method"),
    };
    let load = link.load.as_ref().map(words::load);
    std::iter::once(methods).chain(load).collect()
}

fn label_size(lines: &[String]) -> Size {
    let widest = lines.iter().map(|it| width(it, 11.0)).fold(0.0, f64::max);
    Size {
        width: widest + 12.0,
        height: 14.0 * lines.len() as f64 + 5.0,
    }
}

fn draw_label(text: &mut String, lines: &[String], middle: Point) {
    let size = label_size(lines);
    let (x, y) = (middle.x - size.width / 2.0, middle.y - size.height / 2.0);
    let _ = writeln!(
        text,
        "<rect class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"4\"/>",
        size.width, size.height
    );
    for (at, line) in lines.iter().enumerate() {
        let class = if at == 0 { "method" } else { "load" };
        let _ = writeln!(
            text,
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            middle.x,
            y + 13.0 + 14.0 * at as f64,
            escape(line)
        );
    }
}

fn draw_link(text: &mut String, link: &Link, points: &[Point], (corner, size): (Point, Size)) {
    let class = class(link);
    let path = match points {
        [] => loop_above(corner, size),
        points => curve(points),
    };
    let tooltip = listed(
        &format!("{} → {}", or_outside(&link.from), link.to),
        link.methods.clone(),
    );
    // A wider arrow for every tenfold of calls.
    let rate = link.load.map_or(0.0, |it| it.per_second);
    let width = 1.4 + 0.6 * (1.0 + rate).log10();
    let _ = writeln!(
        text,
        "<g class=\"link {class}\"><title>{}</title><path d=\"{path}\" stroke-width=\"{width:.1}\" marker-end=\"url(#bridge-{class})\"/></g>",
        escape(&tooltip)
    );
}

fn class(link: &Link) -> &'static str {
    match &link.load {
        None => "unseen",
        Some(load) if load.error_percent() >= FAILING_PERCENT => "failing",
        Some(_) if !link.declared && !link.from.is_empty() => "undeclared",
        Some(_) => "seen",
    }
}

fn or_outside(name: &str) -> &str {
    if name.is_empty() { "outside" } else { name }
}

/// Straight inside the pairs, curved between them.
fn curve(points: &[Point]) -> String {
    let mut path = String::new();
    for (at, to) in points.iter().enumerate() {
        let Some(from) = at.checked_sub(1).map(|before| points[before]) else {
            let _ = write!(path, "M{:.1} {:.1}", to.x, to.y);
            continue;
        };
        if at % 2 == 0 {
            let _ = write!(path, "L{:.1} {:.1}", to.x, to.y);
            continue;
        }
        let half = (from.x + to.x) / 2.0;
        let _ = write!(
            path,
            "C{half:.1} {:.1} {half:.1} {:.1} {:.1} {:.1}",
            from.y, to.y, to.x, to.y
        );
    }
    path
}

/// From the top of a box back to it.
fn loop_above(corner: Point, size: Size) -> String {
    let (x, y) = (corner.x + size.width - 44.0, corner.y);
    format!(
        "M{x:.1} {y:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {y:.1}",
        x - 4.0,
        y - 24.0,
        x + 30.0,
        y - 24.0,
        x + 26.0
    )
}

fn head(map: &LiveMap, title: &str, size: Size) -> String {
    let width = size.width.max(WIDTH_MIN) + 2.0 * MARGIN;
    let height = size.height + HEAD + FOOT + 2.0 * MARGIN;
    let served: f64 = map
        .links
        .iter()
        .filter_map(|it| it.load)
        .map(|it| it.per_second)
        .sum();
    let mut about = words::count(map.services.len(), "service");
    if map.window_ms > 0 {
        let window = words::span(map.window_ms as f64);
        let _ = write!(
            about,
            " · {} in the last {window}",
            words::rate(served).replace("/s", " calls/s")
        );
    }
    let (title, about) = (escape(title), escape(&about));
    let mut text = String::new();
    let _ = write!(
        text,
        "<svg class=\"bridge-map\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}: {about}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<defs>"
    );
    for class in LEGEND.map(|(class, _)| class) {
        let _ = write!(
            text,
            "<marker id=\"bridge-{class}\" class=\"{class}\" viewBox=\"0 0 8 8\" refX=\"7.4\" refY=\"4\" markerWidth=\"9\" markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 .6L8 4L0 7.4z\"/></marker>"
        );
    }
    let _ = write!(
        text,
        "</defs>\n<rect class=\"paper\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"14\"/>\n<text class=\"title\" x=\"{MARGIN}\" y=\"{:.1}\">{title}</text>\n<text class=\"about\" x=\"{MARGIN}\" y=\"{:.1}\">{about}</text>\n<g transform=\"translate({:.1} {:.1})\">\n",
        MARGIN + 18.0,
        MARGIN + 39.0,
        // A small map stands in the middle.
        MARGIN + (WIDTH_MIN - size.width).max(0.0) / 2.0,
        MARGIN + HEAD
    );
    text
}

/// What the arrows that are there mean.
fn legend(text: &mut String, map: &LiveMap, size: Size) {
    let y = size.height + HEAD + FOOT + MARGIN;
    let mut x = MARGIN;
    let there = |kind: &str| map.links.iter().any(|it| class(it) == kind);
    for (class, words) in LEGEND.into_iter().filter(|(class, _)| there(class)) {
        let _ = writeln!(
            text,
            "<g class=\"link {class}\"><path d=\"M{x:.1} {:.1}h30\" stroke-width=\"1.8\" marker-end=\"url(#bridge-{class})\"/></g><text class=\"legend\" x=\"{:.1}\" y=\"{y:.1}\">{words}</text>",
            y - 4.0,
            x + 38.0
        );
        x += 38.0 + width(words, 11.5) + 22.0;
    }
}

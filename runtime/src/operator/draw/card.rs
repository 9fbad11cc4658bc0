//! A service as a box: its name, how it is, what it serves, and how well.

use std::fmt::Write as _;

use super::ink::{escape, listed, width};
use super::shape::{Point, Size};
use super::words;
use crate::operator::model::{LiveMap, LiveService};

/// Narrowest box.
const BOX_MIN: f64 = 132.0;
/// Space between the text of a box and its sides.
const PADDING: f64 = 16.0;
/// Room for the dot that tells how a service is.
const DOT: f64 = 14.0;
/// Longest name in a box, in letters.
const NAME_MAX: usize = 28;

/// One box: a service, a service nobody registered, or whoever calls from outside.
pub(super) struct Card {
    pub(super) name: String,
    class: &'static str,
    lines: Vec<String>,
    tooltip: String,
}

impl Card {
    fn of(it: &LiveService) -> Self {
        let service = &it.service;
        let all = service.instances.len();
        let sick = service.instances.iter();
        let sick = sick.filter(|it| it.unhealthy_since_unix_ms != 0).count();
        let (class, state) = match (&*service.status, all, sick) {
            ("active", 0, _) => ("off", "no instance".to_owned()),
            ("active", _, 0) => ("well", words::count(all, "instance")),
            ("active", _, sick) => ("sick", format!("{} of {all} instances well", all - sick)),
            (status, _, _) => ("off", status.to_owned()),
        };
        let mut lines = vec![state];
        let routes = service
            .methods
            .iter()
            .filter(|it| it.kind == "http")
            .count();
        let methods = service.methods.len() - routes;
        let counts = [(methods, "method"), (routes, "route")];
        let counts = counts.iter().filter(|(number, _)| *number > 0);
        let counts: Vec<_> = counts
            .map(|(number, what)| words::count(*number, what))
            .collect();
        if !counts.is_empty() {
            lines.push(counts.join(" · "));
        }
        lines.extend(it.served.as_ref().map(words::load));
        let methods = service
            .methods
            .iter()
            .map(|it| format!("{} {}", it.kind, it.name));
        Self {
            name: service.name.clone(),
            class,
            lines,
            tooltip: listed(&service.name, methods.collect()),
        }
    }

    fn shown_name(&self) -> String {
        match &*self.name {
            "" => "callers outside".to_owned(),
            name => words::elide(name, NAME_MAX),
        }
    }

    pub(super) fn size(&self) -> Size {
        let lines = self.lines.iter().map(|it| width(it, 11.5));
        // The first line begins with a dot.
        let lines = lines
            .enumerate()
            .map(|(at, it)| if at == 0 { it + DOT } else { it });
        // Bold letters are wider.
        let widest = lines.fold(width(&self.shown_name(), 15.0), f64::max);
        Size {
            width: (widest + 2.0 * PADDING).ceil().max(BOX_MIN),
            height: 36.0 + 16.0 * self.lines.len() as f64,
        }
    }

    pub(super) fn draw(&self, text: &mut String, corner: Point) {
        let size = self.size();
        let (x, y) = (corner.x, corner.y);
        let rx = if self.name.is_empty() { 18.0 } else { 9.0 };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "<g class=\"box {}\"><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.0}\" height=\"{:.0}\" rx=\"{rx}\"/>",
            self.class,
            escape(&self.tooltip),
            size.width,
            size.height
        );
        let left = x + PADDING;
        let _ = writeln!(
            text,
            "<text class=\"name\" x=\"{left:.1}\" y=\"{:.1}\">{}</text>",
            y + 23.0,
            escape(&self.shown_name())
        );
        for (at, line) in self.lines.iter().enumerate() {
            let base = y + 41.0 + 16.0 * at as f64;
            let mut from = left;
            if at == 0 && !self.name.is_empty() {
                let _ = write!(
                    text,
                    "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/>",
                    left + 4.0,
                    base - 4.0
                );
                from += DOT;
            }
            let _ = writeln!(
                text,
                "<text x=\"{from:.1}\" y=\"{base:.1}\">{}</text>",
                escape(line)
            );
        }
        text.push_str("</g>\n");
    }
}

/// The services, those that are only named, and the outside if it calls.
pub(super) fn cards(map: &LiveMap) -> Vec<Card> {
    let mut cards: Vec<_> = map.services.iter().map(Card::of).collect();
    let ends = map.links.iter().flat_map(|it| [&it.from, &it.to]);
    let mut others: Vec<&String> = ends.collect();
    others.sort();
    others.dedup();
    for name in others {
        if cards.iter().any(|it| it.name == *name) {
            continue;
        }
        let (class, lines, tooltip) = match &**name {
            "" => ("outside", vec![], "callers that are no services".to_owned()),
            name => ("ghost", vec!["not registered".to_owned()], name.to_owned()),
        };
        cards.push(Card {
            name: name.clone(),
            class,
            lines,
            tooltip,
        });
    }
    cards
}

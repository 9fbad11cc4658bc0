//! A program's description as a picture for a document: SVG that needs nothing else, light or dark
//! as its reader prefers. What is served stands in the middle, whom it calls on the right.
//!
//! Refuses nothing: a name too long for its box is cut there and whole in its tooltip.
//! Invariant: the same description gives the same picture, byte for byte, and names from the
//! program stay text.

use std::fmt::Write as _;

use crate::describe::Description;
use crate::diagram::{Parts, callee};
use crate::screen;

const MARGIN: f64 = 24.0;
/// Room for the title.
const HEAD: f64 = 44.0;
/// From one box to the box below it.
const ROW: f64 = 34.0;
const BOX: f64 = 26.0;
/// Between two columns, for the curves.
const GAP: f64 = 110.0;
/// Width of a letter.
const LETTER: f64 = 7.3;
/// Most letters in a box.
const LETTERS_MAX: usize = 64;
/// Fewest letters that a box is as wide as.
const LETTERS_MIN: usize = 12;

const STYLE: &str = "text{font:12px ui-monospace,SFMono-Regular,Menlo,monospace;fill:#1f2733}\
.title{font:600 15px system-ui,sans-serif}.about{font:12px system-ui,sans-serif;fill:#5b6675}\
rect{fill:#fff;stroke:#c3ccd8}.service rect{fill:#e8f0ff;stroke:#3b6fd4}\
.called rect{fill:#eef8f1;stroke:#3f8f5f}path{fill:none;stroke:#9aa6b5;stroke-width:1.3}\
.call{stroke:#3f8f5f}@media(prefers-color-scheme:dark){svg{background:#141a22}text{fill:#e3e9f1}\
.about{fill:#9aa6b5}rect{fill:#1c2430;stroke:#3b4757}.service rect{fill:#1b2c4d;stroke:#6f9bf0}\
.called rect{fill:#173325;stroke:#62b583}path{stroke:#56637a}.call{stroke:#62b583}}";

/// A box with a name in it.
struct Node {
    class: &'static str,
    text: String,
    x: f64,
    y: f64,
    width: f64,
}

impl Node {
    fn left(&self) -> (f64, f64) {
        (self.x, self.y + BOX / 2.0)
    }

    fn right(&self) -> (f64, f64) {
        (self.x + self.width, self.y + BOX / 2.0)
    }

    fn draw(&self, text: &mut String) {
        let (x, y) = (self.x, self.y);
        let _ = writeln!(
            text,
            "<g class=\"{}\"><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" \
             height=\"{BOX}\" rx=\"6\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            self.class,
            escape(&self.text),
            self.width,
            x + 10.0,
            y + 17.0,
            escape(&elided(&self.text)),
        );
    }
}

/// The picture.
pub(crate) fn svg(description: &Description) -> String {
    let parts = Parts::from(description);
    let called: Vec<_> = parts.called.iter().map(|(it, by)| callee(it, by)).collect();
    let rows = parts.served.len().max(called.len()).max(1) as f64;
    let height = rows * ROW;
    let service = column(
        ("service", MARGIN),
        std::slice::from_ref(&parts.service),
        height,
    );
    let middle = service[0].x + service[0].width + GAP;
    let served: Vec<_> = parts.served.keys().cloned().collect();
    let served = column(("served", middle), &served, height);
    let widest = served.first().map_or(0.0, |it| it.width);
    let called = column(("called", middle + widest + GAP), &called, height);

    let mut lines = String::new();
    for it in &served {
        curve(&mut lines, "serves", service[0].right(), it.left());
    }
    for (index, contract) in parts.called.keys().enumerate() {
        let callers = parts.served.values().zip(&served);
        let mut callers = callers
            .filter(|(calls, _)| calls.contains(contract))
            .peekable();
        if callers.peek().is_none() {
            below(
                &mut lines,
                &service[0],
                &called[index],
                HEAD + MARGIN + height,
            );
        }
        for (_, it) in callers {
            curve(&mut lines, "call", it.right(), called[index].left());
        }
    }
    let last = called.first().or(served.first()).unwrap_or(&service[0]);
    let size = (last.x + last.width + MARGIN, HEAD + height + 2.0 * MARGIN);
    let mut text = head(&parts, size);
    text.push_str(&lines);
    for it in service.iter().chain(&served).chain(&called) {
        it.draw(&mut text);
    }
    text.push_str("</svg>\n");
    text
}

/// Boxes of one width below each other, in the middle of the height.
fn column((class, x): (&'static str, f64), names: &[String], height: f64) -> Vec<Node> {
    let letters = names.iter().map(|it| elided(it).chars().count()).max();
    let letters = letters.unwrap_or(0).max(LETTERS_MIN) as f64;
    let top = HEAD + MARGIN + (height - names.len() as f64 * ROW) / 2.0;
    let node = |(row, name): (usize, &String)| Node {
        class,
        text: name.clone(),
        x,
        y: top + row as f64 * ROW,
        width: letters * LETTER + 20.0,
    };
    names.iter().enumerate().map(node).collect()
}

fn curve(text: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let half = (from.0 + to.0) / 2.0;
    let _ = writeln!(
        text,
        "<path class=\"{class}\" d=\"M{:.1} {:.1}C{half:.1} {:.1} {half:.1} {:.1} {:.1} {:.1}\"/>",
        from.0, from.1, from.1, to.1, to.0, to.1
    );
}

/// What no handler's signature names is called by the service as a whole: around its handlers.
fn below(text: &mut String, from: &Node, to: &Node, bottom: f64) {
    let (x, y) = (from.x + from.width / 2.0, from.y + BOX);
    let ((right, level), bend) = (to.left(), to.x - GAP * 0.7);
    let _ = writeln!(
        text,
        "<path class=\"call\" d=\"M{x:.1} {y:.1}V{bottom:.1}H{bend:.1}\
         C{:.1} {bottom:.1} {bend:.1} {level:.1} {right:.1} {level:.1}\"/>",
        to.x - GAP * 0.3,
    );
}

fn head(parts: &Parts, (width, height): (f64, f64)) -> String {
    let title = escape(&elided(&parts.service));
    let about = format!(
        "{} served, {} called",
        parts.served.len(),
        parts.called.len()
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}: {about}\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"28\">{title}</text>\
         <text class=\"about\" x=\"{MARGIN}\" y=\"46\">{about}</text>\n"
    )
}

fn elided(text: &str) -> String {
    if text.chars().count() <= LETTERS_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LETTERS_MAX - 1).collect();
    format!("{kept}…")
}

fn escape(text: &str) -> String {
    let text = screen::visible(text)
        .replace('\n', " ")
        .replace('&', "&amp;");
    let text = text.replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

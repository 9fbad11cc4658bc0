//! Colours and letters of the map as a picture.
//!
//! Names come from services, so everything is escaped. Text is measured by a table of letter
//! widths: whoever shows the picture brings the font.

use std::fmt::Write as _;

use super::words;

/// Methods that a tooltip lists; the rest is a number.
const TOOLTIP_MAX: usize = 12;

/// Every kind of arrow and what it means, in the order of the legend.
pub(super) const LEGEND: [(&str, &str); 4] = [
    ("seen", "called"),
    ("failing", "5 % or more fail"),
    ("undeclared", "called, not declared"),
    ("unseen", "declared, not called"),
];

/// One style sheet for light and dark paper; it styles nothing else when the picture stands in a page.
pub(super) const STYLE: &str = "
.bridge-map text{font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:11.5px;fill:#57606a}
.bridge-map .paper{fill:#fff}
.bridge-map .title{font-size:20px;font-weight:650;fill:#1f2328}
.bridge-map .about{font-size:12.5px}
.bridge-map .name{font-size:14px;font-weight:600;fill:#1f2328}
.bridge-map .box rect{fill:#f6f8fa;stroke:#d0d7de;stroke-width:1.2}
.bridge-map .off rect{fill:#fff;stroke:#d0d7de}
.bridge-map .ghost rect{fill:none;stroke:#afb8c1;stroke-dasharray:5 4}
.bridge-map .outside rect{fill:#eaeef2;stroke:#d0d7de}
.bridge-map .well .dot{fill:#2da44e}
.bridge-map .sick .dot{fill:#d4a72c}
.bridge-map .off .dot,.bridge-map .ghost .dot{fill:#afb8c1}
.bridge-map .link path{fill:none}
.bridge-map .link.seen path{stroke:#5b7fb5}
.bridge-map .link.failing path{stroke:#cf222e}
.bridge-map .link.undeclared path{stroke:#bc6c0b}
.bridge-map .link.unseen path{stroke:#afb8c1;stroke-dasharray:5 4}
.bridge-map marker.seen path{fill:#5b7fb5}
.bridge-map marker.failing path{fill:#cf222e}
.bridge-map marker.undeclared path{fill:#bc6c0b}
.bridge-map marker.unseen path{fill:#afb8c1}
.bridge-map .label{fill:#fff}
.bridge-map .method,.bridge-map .load{text-anchor:middle;font-size:11px}
.bridge-map .method{fill:#1f2328}
@media(prefers-color-scheme:dark){
.bridge-map text{fill:#9198a1}
.bridge-map .paper{fill:#0d1117}
.bridge-map .title,.bridge-map .name,.bridge-map .method{fill:#f0f6fc}
.bridge-map .box rect{fill:#161b22;stroke:#3d444d}
.bridge-map .off rect{fill:#0d1117}
.bridge-map .ghost rect{fill:none;stroke:#656c76}
.bridge-map .outside rect{fill:#21262d}
.bridge-map .well .dot{fill:#3fb950}
.bridge-map .sick .dot{fill:#d29922}
.bridge-map .off .dot,.bridge-map .ghost .dot{fill:#656c76}
.bridge-map .link.seen path{stroke:#6e96d1}
.bridge-map .link.failing path{stroke:#f85149}
.bridge-map .link.undeclared path{stroke:#db8e35}
.bridge-map .link.unseen path{stroke:#656c76}
.bridge-map marker.seen path{fill:#6e96d1}
.bridge-map marker.failing path{fill:#f85149}
.bridge-map marker.undeclared path{fill:#db8e35}
.bridge-map marker.unseen path{fill:#656c76}
.bridge-map .label{fill:#0d1117}
}
";

/// A headline and a list that ends somewhere.
pub(super) fn listed(head: &str, lines: Vec<String>) -> String {
    let mut text = head.to_owned();
    for line in lines.iter().take(TOOLTIP_MAX) {
        text.push('\n');
        text.push_str(line);
    }
    if let Some(more @ 1..) = lines.len().checked_sub(TOOLTIP_MAX) {
        let _ = write!(text, "\nand {more} more");
    }
    text
}

/// About as wide as the text is in a font of `size`, rather too wide than too narrow.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let letter = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' | ' ' => 0.34,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '-' | '·' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.95,
        'A'..='Z' => 0.70,
        c if c.is_ascii() => 0.60,
        c => 0.62 * words::columns(c.encode_utf8(&mut [0; 4])) as f64,
    };
    text.chars().map(letter).sum::<f64>() * size
}

/// Text as XML may hold it: no markup, no characters that XML forbids.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push('\n'),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

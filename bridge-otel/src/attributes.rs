//! Attributes as the wire has them: a key and a value of a kind.

use crate::proto::Writer;

/// An attribute with a text.
pub(crate) fn text(message: &mut Writer, field: u8, key: &str, value: &str) {
    message.message(field, |it| {
        it.text(1, key);
        it.message(2, |it| it.bytes(1, value.as_bytes()));
    });
}

/// An attribute with a number.
pub(crate) fn number(message: &mut Writer, field: u8, key: &str, value: i64) {
    message.message(field, |it| {
        it.text(1, key);
        it.message(2, |it| it.chosen(3, value));
    });
}

/// Host and port of a peer, as the attributes of their own that the conventions want.
pub(crate) fn peer(message: &mut Writer, field: u8, peer: &str) {
    let with_port = peer.rsplit_once(':').and_then(|(host, port)| {
        let port: u16 = port.parse().ok()?;
        Some((host, port))
    });
    let (host, port) = with_port.map_or((peer, None), |(host, port)| (host, Some(port)));
    text(
        message,
        field,
        "server.address",
        host.trim_matches(['[', ']']),
    );
    if let Some(port) = port {
        number(message, field, "server.port", port.into());
    }
}

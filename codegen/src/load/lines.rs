//! Offsets as people count them, in text as they see it: without the mark that some editors put first.

/// U+FEFF in UTF-8, with which editors on Windows say that a file is UTF-8. It is not a part of the text.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes of a file behind such a mark, or all of them.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// The text of a file, as far as it is text.
pub(super) fn text_of(bytes: &[u8]) -> &str {
    let bytes = without_mark(bytes);
    let end = str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    str::from_utf8(&bytes[..end]).unwrap_or_default()
}

/// Line and column of a byte offset, both from 1; the end of the text for one beyond it.
pub(super) fn line_and_column(source: &str, offset: usize) -> (u32, u32) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
    let number = |n| u32::try_from(n).unwrap_or(u32::MAX);
    (number(line), number(column))
}

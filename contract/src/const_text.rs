//! Text while compiling: comparing it, and putting together what a refusal says.
//!
//! Refuses nothing: what finds no room is cut. Invariant: what is read back is text.

/// Most bytes of a text.
pub const TEXT_BYTES_MAX: usize = 512;

/// A text that is put together while compiling.
///
/// ```
/// use contract::const_text::ConstText;
///
/// const SAID: ConstText = ConstText::new("`").with("Place").with("` is there twice");
/// assert_eq!(SAID.as_str(), "`Place` is there twice");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ConstText {
    bytes: [u8; TEXT_BYTES_MAX],
    len: usize,
}

impl ConstText {
    /// A text that begins with this.
    #[must_use]
    pub const fn new(start: &str) -> Self {
        Self {
            bytes: [0; TEXT_BYTES_MAX],
            len: 0,
        }
        .with(start)
    }

    /// The same with more behind it, as far as there is room.
    #[must_use]
    pub const fn with(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() && self.len < TEXT_BYTES_MAX {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.len);
        match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => {
                // Cut in the middle of a letter, which goes as a whole.
                let (text, _) = text.split_at(error.valid_up_to());
                match std::str::from_utf8(text) {
                    Ok(text) => text,
                    Err(_) => "",
                }
            }
        }
    }
}

/// Whether two texts are the same.
#[must_use]
pub const fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_cut_between_letters() {
        let long = "é".repeat(TEXT_BYTES_MAX);
        let text = ConstText::new("x").with(&long);
        assert_eq!(text.as_str().chars().count(), 1 + (TEXT_BYTES_MAX - 1) / 2);
    }

    #[test]
    fn texts_are_compared_as_a_whole() {
        assert!(is_same("a", "a") && is_same("", ""));
        assert!(!is_same("a", "ab") && !is_same("ab", "aa"));
    }
}

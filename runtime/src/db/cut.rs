//! Rows for one SQLite statement: a batch as two parameters, cut apart by offsets.
//!
//! SQLite has no arrays. JSON can stand for them, but reading a row of twenty columns out of JSON
//! costs three times what storing it does. Here all rows lie one behind the other in one blob, each
//! with its numbers as digits at fixed places and its texts at the end; the other parameter is a
//! JSON array of where each row begins, which `json_each` turns into integers:
//!
//! ```sql
//! -- $1: beginnings of rows; $2: rows.
//! SELECT substr($2, value, 16),                             -- an id
//!        CAST(substr($2, value + 16, 20) AS INTEGER),       -- a number of width 20
//!        CAST(substr($2, value + 50, CAST(substr($2, value + 36, 7) AS INTEGER)) AS TEXT)
//!   FROM json_each($1)
//! ```
//!
//! Refuses numbers wider than their place and rows that together pass what seven digits count.

/// Digits of the place where a text ends.
const END_DIGITS: usize = 7;

/// Rows in the making.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    beginnings: String,
    rows: Vec<u8>,
}

impl Cut {
    /// With space for so many rows of about so many bytes.
    pub(crate) fn with_capacity(rows: usize, row_bytes: usize) -> Self {
        Self {
            beginnings: String::with_capacity(2 + rows * 9),
            rows: Vec::with_capacity(rows * row_bytes),
        }
    }

    /// One id per row.
    pub(crate) fn of_ids<'i>(ids: impl ExactSizeIterator<Item = &'i [u8; 16]>) -> Self {
        let mut cut = Self::with_capacity(ids.len(), 16);
        for id in ids {
            cut.begin_row().bytes(id);
        }
        cut
    }

    /// Begins the next row.
    pub(crate) fn begin_row(&mut self) -> &mut Self {
        self.beginnings
            .push(if self.beginnings.is_empty() { '[' } else { ',' });
        self.beginnings.push_str(&(self.rows.len() + 1).to_string());
        self
    }

    /// Bytes as they are: the statement knows how many.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.rows.extend_from_slice(bytes);
        self
    }

    /// A number in `width` characters, which are 20 for any.
    ///
    /// # Panics
    ///
    /// When it does not fit: the statement and the code around it disagree.
    pub(crate) fn number(&mut self, number: i64, width: usize) -> &mut Self {
        let begin = self.rows.len();
        self.rows.resize(begin + width, b'0');
        let place = &mut self.rows[begin..];
        let mut rest = number.unsigned_abs();
        for digit in place.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        let fits = rest == 0 && (number >= 0 || place[0] == b'0');
        assert!(fits, "a column of {width} characters cannot hold {number}");
        if number < 0 {
            place[0] = b'-';
        }
        self
    }

    /// The texts of a row: first where each ends, counted from where the first begins, in seven
    /// digits each; then the texts. Nothing of the row may follow.
    pub(crate) fn texts(&mut self, texts: &[&str]) -> &mut Self {
        let mut end = 0;
        for text in texts {
            end += text.len();
            self.number(i64::try_from(end).unwrap_or(i64::MAX), END_DIGITS);
        }
        for text in texts {
            self.bytes(text.as_bytes());
        }
        self
    }

    /// The two parameters: beginnings as JSON, and rows.
    pub(crate) fn finish(mut self) -> (String, Vec<u8>) {
        self.beginnings.push_str(if self.beginnings.is_empty() {
            "[]"
        } else {
            "]"
        });
        (self.beginnings, self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lie_one_behind_the_other_and_begin_where_it_says() {
        let mut cut = Cut::default();
        cut.begin_row().bytes(b"ab").number(7, 3).texts(&["x", ""]);
        cut.begin_row()
            .bytes(b"cd")
            .number(-12, 4)
            .texts(&["", "é"]);
        let (beginnings, rows) = cut.finish();
        assert_eq!(beginnings, "[1,21]");
        let rows = String::from_utf8(rows).expect("text here");
        assert_eq!(rows, "ab00700000010000001xcd-01200000000000002é");
        assert_eq!(Cut::default().finish().0, "[]");
    }

    #[test]
    fn every_number_fits_into_twenty_characters() {
        for number in [i64::MIN, -1, 0, 1, i64::MAX] {
            let mut cut = Cut::default();
            cut.begin_row().number(number, 20);
            let text = String::from_utf8(cut.finish().1).expect("digits");
            assert_eq!(text.parse(), Ok(number), "{text}");
        }
    }

    #[test]
    #[should_panic(expected = "cannot hold")]
    fn a_number_that_does_not_fit_is_not_stored_cut() {
        Cut::default().number(100, 2);
    }
}

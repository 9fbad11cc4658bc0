//! Numbers as JSON gives them: as numbers of any spelling, or as text.
//!
//! Refuses what is not exactly a value of the wanted type. Text is held to the spelling of JSON
//! numbers, so that what is read here is read by every other implementation.

/// A number as a deserializer or a text gives it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Positive(u64),
    Negative(i64),
    Float(f64),
}

impl Number {
    /// Reads text that is spelled as a JSON number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !is_json_number(text) {
            return None;
        }
        if let Ok(number) = text.parse() {
            return Some(Self::Positive(number));
        }
        match text.parse() {
            Ok(number) => Some(Self::Negative(number)),
            Err(_) => text.parse().ok().map(Self::Float),
        }
    }

    /// The same number as an integer, where it is one and small enough.
    pub(super) fn as_integer(self) -> Option<i128> {
        // All integers up to here are floats, and all larger floats are integers.
        const LARGEST: f64 = 18_446_744_073_709_551_616.0;
        match self {
            Self::Positive(number) => Some(number.into()),
            Self::Negative(number) => Some(number.into()),
            Self::Float(number) if number.fract() == 0.0 && number.abs() <= LARGEST => {
                Some(number as i128)
            }
            Self::Float(_) => None,
        }
    }

    /// The nearest double.
    pub(super) fn as_double(self) -> f64 {
        match self {
            Self::Positive(number) => number as f64,
            Self::Negative(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// The nearest float; none for what is beyond the largest.
    pub(super) fn as_float(self) -> Option<f32> {
        let narrow = self.as_double() as f32;
        narrow.is_finite().then_some(narrow)
    }
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let count = digits(exponent);
        if count == 0 {
            return false;
        }
        rest = &exponent[count..];
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_a_number_only_as_json_spells_it() {
        for text in ["0", "-0", "12", "-1.5", "1e5", "1E-5", "1.25e+3"] {
            assert!(Number::parse(text).is_some(), "{text}");
        }
        for text in [
            "", "-", "01", "+1", "1.", ".5", "1e", "inf", "NaN", "0x1", " 1", "1 ", "1_0",
        ] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn integers_may_be_spelled_as_floats_but_not_be_ones() {
        let integer = |text| Number::parse(text).and_then(Number::as_integer);
        assert_eq!(integer("1e3"), Some(1_000));
        assert_eq!(integer("-2.0"), Some(-2));
        assert_eq!(integer("1.5"), None);
        assert_eq!(integer("1e400"), None);
        assert_eq!(integer("18446744073709551615"), Some(u64::MAX.into()));
        assert_eq!(integer("-9223372036854775808"), Some(i64::MIN.into()));
    }
}

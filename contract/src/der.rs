//! What nobody reads out of certificates for us: when they are valid, and whether a URI is the only
//! one in them.
//!
//! Verifies nothing: a certificate is trusted before it is read here. Refuses whatever is not laid
//! out as an X.509 certificate, so that a time is read or there is none.
//!
//! Invariant: reads no byte outside of the value it is in.

use crate::civil::days_of;

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The version, which the oldest certificates do not have.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// 2.5.29.17
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// The forms that a name may have, and the one of them that is a URI.
const NAMES: [u8; 9] = [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, URI, 0x87, 0x88];
const URI: u8 = 0x86;

/// Seconds since the Unix epoch from when until when a certificate is valid.
pub(crate) fn validity(certificate: &[u8]) -> Option<(i64, i64)> {
    let mut validity = Values(behind_issuer(certificate)?.take(SEQUENCE)?);
    Some((validity.time()?, validity.time()?))
}

/// How many URIs the certificate names its holder by; `None` when any of its names is in no form
/// that names have, because then another reader may see others.
pub(crate) fn uris(certificate: &[u8]) -> Option<usize> {
    let mut signed = behind_issuer(certificate)?;
    let _validity = signed.take(SEQUENCE)?;
    let _subject = signed.take(SEQUENCE)?;
    let _key = signed.take(SEQUENCE)?;
    let mut extensions = Values(Values(signed.take(EXTENSIONS)?).take(SEQUENCE)?);
    let mut found = None;
    while !extensions.is_empty() {
        let mut extension = Values(extensions.take(SEQUENCE)?);
        if extension.take(OBJECT)? != SUBJECT_ALT_NAME {
            continue;
        }
        if extension.next_is(BOOLEAN) {
            extension.take(BOOLEAN)?;
        }
        let mut content = Values(extension.take(OCTETS)?);
        let names = Values(content.take(SEQUENCE)?);
        if found.is_some() || !content.is_empty() {
            return None;
        }
        found = Some(uris_among(names)?);
    }
    found
}

fn uris_among(mut names: Values<'_>) -> Option<usize> {
    let mut uris = 0;
    while let Some(&form) = names.0.first() {
        names.take(form).filter(|_| NAMES.contains(&form))?;
        uris += usize::from(form == URI);
    }
    Some(uris)
}

/// What is signed, from the validity on.
fn behind_issuer(certificate: &[u8]) -> Option<Values<'_>> {
    let mut certificate = Values(Values(certificate).take(SEQUENCE)?);
    let mut signed = Values(certificate.take(SEQUENCE)?);
    if signed.next_is(VERSION) {
        signed.take(VERSION)?;
    }
    let _serial = signed.take(INTEGER)?;
    let _algorithm = signed.take(SEQUENCE)?;
    let _issuer = signed.take(SEQUENCE)?;
    Some(signed)
}

/// Encoded values, one after another.
struct Values<'d>(&'d [u8]);

impl<'d> Values<'d> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn next_is(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The content of the next value, if that is what it is.
    fn take(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (&[found, length], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match length {
            // Of a longer one, this says how many bytes its length has.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                let shifted = |length: usize, byte: &u8| (length << 8) | usize::from(*byte);
                (bytes.iter().fold(0, shifted), rest)
            }
            0x80.. => return None,
            short => (usize::from(short), rest),
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (found == tag).then_some(content)
    }

    fn time(&mut self) -> Option<i64> {
        if self.next_is(UTC_TIME) {
            let (year, rest) = number::<2>(self.take(UTC_TIME)?)?;
            // Two digits, of 1950 to 2049.
            return instant(if year < 50 { 2000 + year } else { 1900 + year }, rest);
        }
        let (year, rest) = number::<4>(self.take(GENERALIZED_TIME)?)?;
        instant(year, rest)
    }
}

/// `MMDDHHMMSSZ` of a year.
fn instant(year: i64, text: &[u8]) -> Option<i64> {
    let (month, text) = number::<2>(text)?;
    let (day, text) = number::<2>(text)?;
    let (hour, text) = number::<2>(text)?;
    let (minute, text) = number::<2>(text)?;
    let (second, text) = number::<2>(text)?;
    let is_time = text == b"Z" && hour < 24 && minute < 60 && second < 60;
    let days = days_of(year, month, day).filter(|_| is_time)?;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// A number of so many digits, and what follows it.
fn number<const DIGITS: usize>(text: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<DIGITS>()?;
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(digit - b'0');
    }
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(from: (i32, u8, u8), until: (i32, u8, u8)) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(["a".to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let certificate = params.self_signed(&key).expect("a certificate");
        certificate.der().to_vec()
    }

    fn midnight(year: i64, month: i64, day: i64) -> i64 {
        days_of(year, month, day).expect("a day") * 86_400
    }

    #[test]
    fn a_certificate_says_from_when_until_when_it_is_valid() {
        for (from, until) in [
            ((1975, 1, 1), (2049, 12, 31)),
            ((2024, 2, 29), (2050, 1, 1)),
            ((2055, 6, 7), (4096, 1, 1)),
        ] {
            let read = validity(&certificate(from, until));
            let [from, until] =
                [from, until].map(|it| midnight(i64::from(it.0), i64::from(it.1), i64::from(it.2)));
            assert_eq!(read, Some((from, until)));
        }
    }

    #[test]
    fn a_certificate_that_ends_anywhere_says_nothing() {
        let whole = certificate((2024, 1, 1), (2025, 1, 1));
        for length in 0..whole.len() {
            assert_eq!(validity(&whole[..length]), None, "{length}");
        }
    }

    #[test]
    fn every_byte_of_a_certificate_may_be_another() {
        let whole = certificate((2024, 1, 1), (2025, 1, 1));
        let is_time = |at: i64| (midnight(0, 1, 1)..midnight(9_999, 12, 31) + 86_400).contains(&at);
        for at in 0..whole.len() {
            for other in [0, 0x7f, 0x80, 0x84, 0xff] {
                let mut changed = whole.clone();
                changed[at] = other;
                if let Some((from, until)) = validity(&changed) {
                    assert!(is_time(from) && is_time(until), "{at} {other}");
                }
            }
        }
    }

    /// A certificate whose names are these bytes.
    fn named(names: &[&[u8]]) -> Vec<u8> {
        let names = names.concat();
        let length = u8::try_from(names.len()).expect("short names");
        let content = [&[SEQUENCE, length], names.as_slice()].concat();
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::default();
        let names = rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 17], content);
        params.custom_extensions.push(names);
        let certificate = params.self_signed(&key).expect("a certificate");
        certificate.der().to_vec()
    }

    #[test]
    fn uris_are_counted_and_a_name_in_no_form_hides_none() {
        let (uri, dns, odd) = (b"\x86\x03a:b", b"\x82\x01a", b"\x89\x00");
        assert_eq!(uris(&named(&[uri])), Some(1));
        assert_eq!(uris(&named(&[dns, uri, dns])), Some(1));
        assert_eq!(uris(&named(&[uri, uri])), Some(2));
        assert_eq!(uris(&named(&[dns])), Some(0));
        assert_eq!(uris(&named(&[uri, odd, uri])), None);
        assert_eq!(uris(&named(&[uri, b"\x86\x7f"])), None, "cut off");
        assert_eq!(uris(&certificate((2024, 1, 1), (2025, 1, 1))), Some(0));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "0230000000Z",
            "0228240000Z",
            "0228006000Z",
            "0228000060Z",
            "0228000000",
            "02280000000Z",
            "0228 00000Z",
        ] {
            assert_eq!(instant(2025, text.as_bytes()), None, "{text}");
        }
        assert!(instant(2025, b"0228000000Z").is_some());
    }
}

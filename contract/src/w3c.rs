//! The `traceparent` header of W3C Trace Context, levels 1 and 2: bytes to numbers and back.
//!
//! Parsing allocates nothing and is exact: a header that breaks one rule of the grammar is no
//! header at all. A higher version is read as far as version 00 goes; what is written is always
//! version 00, with no flag set that the specification does not define.
//!
//! Invariant: a [`TraceParent`] names a trace and a span, so neither of them is zero.

/// Length of a `traceparent` of version 00 in bytes.
pub const TRACEPARENT_LEN: usize = 55;

/// A parsed `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace: u128,
    span: u64,
    flags: TraceFlags,
}

/// The flags of a trace: recommendations of the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TraceFlags(u8);

impl TraceFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// The caller may have recorded the trace.
    pub const SAMPLED: Self = Self(0b01);
    /// The right-most 7 bytes of the trace id were chosen at random. Whoever continues a trace
    /// hands the flag on as it came.
    pub const RANDOM: Self = Self(0b10);
    /// Flags that have a meaning; the others are neither kept nor written.
    const DEFINED: u8 = 0b11;

    /// Whether the caller may have recorded the trace.
    pub const fn is_sampled(self) -> bool {
        self.0 & Self::SAMPLED.0 != 0
    }

    /// Whether the right-most 7 bytes of the trace id are random.
    pub const fn is_random(self) -> bool {
        self.0 & Self::RANDOM.0 != 0
    }

    /// The same flags, with the decision whether the trace is recorded.
    #[must_use]
    pub const fn sampled(self, is_sampled: bool) -> Self {
        Self(self.0 & !Self::SAMPLED.0 | is_sampled as u8)
    }

    /// Both sets of flags together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The flags as one byte; undefined ones are zero.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl TraceParent {
    /// Names a span of a trace; `None` when one of the ids is zero.
    pub const fn new(trace: u128, span: u64, flags: TraceFlags) -> Option<Self> {
        if trace == 0 || span == 0 {
            return None;
        }
        Some(Self { trace, span, flags })
    }

    /// Reads the value of one header. Spaces and tabs around it do not count.
    #[inline]
    pub fn parse(value: &[u8]) -> Option<Self> {
        // Nearly every header is of version 00 and has nothing around it.
        if let Ok(head) = <&[u8; TRACEPARENT_LEN]>::try_from(value)
            && head.starts_with(b"00-")
        {
            return Self::read(head);
        }
        let (head, rest) = trim(value).split_first_chunk::<TRACEPARENT_LEN>()?;
        let is_readable = match two([head[0], head[1]])? {
            0x00 => rest.is_empty(),
            0xff => false,
            // A later version may append fields, but only behind a separator.
            _ => rest.first().is_none_or(|first| *first == b'-'),
        };
        if !is_readable || head[2] != b'-' {
            return None;
        }
        Self::read(head)
    }

    /// Reads what is behind the version.
    #[inline]
    fn read(head: &[u8; TRACEPARENT_LEN]) -> Option<Self> {
        let [_, _, _, ids @ .., f, g] = head;
        let (trace, rest) = ids.split_first_chunk::<32>()?;
        let [b'-', span @ .., b'-'] = rest else {
            return None;
        };
        let (high, low) = trace.split_first_chunk::<16>()?;
        let (high, low, span) = (
            sixteen(high),
            sixteen(low.first_chunk()?),
            sixteen(span.first_chunk()?),
        );
        // One question for all 48 digits.
        if high.1 | low.1 | span.1 != 0 {
            return None;
        }
        let trace = (u128::from(high.0) << 64) | u128::from(low.0);
        let flags = TraceFlags(two([*f, *g])? & TraceFlags::DEFINED);
        Self::new(trace, span.0, flags)
    }

    /// The trace id.
    pub const fn trace(&self) -> u128 {
        self.trace
    }

    /// The id of the caller's span.
    pub const fn span(&self) -> u64 {
        self.span
    }

    /// The caller's flags.
    #[inline]
    pub const fn flags(&self) -> TraceFlags {
        self.flags
    }

    /// The header's value.
    pub fn encode(&self) -> [u8; TRACEPARENT_LEN] {
        let mut text = *b"00-................................-................-..";
        write_hex(&mut text[3..35], &self.trace.to_be_bytes());
        write_hex(&mut text[36..52], &self.span.to_be_bytes());
        write_hex(&mut text[53..], &[self.flags.bits()]);
        text
    }
}

/// `value` without the spaces and tabs around it.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// One in every byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Reads eight digits at once, a byte each. Upper case is none: the grammar forbids it. A digit's
/// value is written back and compared, which only the sixteen digits survive.
#[inline]
fn eight(digits: [u8; 8]) -> (u64, u64) {
    let digits = u64::from_be_bytes(digits);
    let letters = (digits >> 6) & ONES;
    let values = ((digits & (0x0f * ONES)) + 9 * letters) & (0x0f * ONES);
    let from_ten_on = ((values + 6 * ONES) >> 4) & ONES;
    let wrong = (values + 0x30 * ONES + 0x27 * from_ten_on) ^ digits;
    let pairs = (values | (values >> 4)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | (pairs >> 8)) & 0x0000_ffff_0000_ffff;
    ((fours | (fours >> 16)) & 0xffff_ffff, wrong)
}

/// Reads 16 digits; the second number is not zero when one of them is none.
#[inline]
fn sixteen(digits: &[u8; 16]) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h, low @ ..] = *digits;
    let ((high, wrong), (low, also)) = (eight([a, b, c, d, e, f, g, h]), eight(low));
    (high << 32 | low, wrong | also)
}

#[inline]
fn two([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    Some(digit(high)? << 4 | digit(low)?)
}

/// Writes two digits for each byte.
fn write_hex(text: &mut [u8], bytes: &[u8]) {
    const DIGIT: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGIT[usize::from(byte >> 4)];
        pair[1] = DIGIT[usize::from(byte & 0x0f)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "12345678901234567890123456789012";
    const SPAN: &str = "1234567890123456";

    fn read(text: &str) -> Option<TraceParent> {
        TraceParent::parse(text.as_bytes())
    }

    fn with_flags(flags: &str) -> Option<TraceParent> {
        read(&format!("00-{TRACE}-{SPAN}-{flags}"))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..10_000 {
            let flags = TraceFlags(random.u8(..4));
            let one = TraceParent::new(random.u128(1..), random.u64(1..), flags).expect("ids");
            assert_eq!(TraceParent::parse(&one.encode()), Some(one));
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic_and_what_it_reads_is_valid() {
        let mut random = fastrand::Rng::with_seed(4);
        let valid = format!("00-{TRACE}-{SPAN}-01").into_bytes();
        for _ in 0..100_000 {
            let mut bytes = valid.clone();
            for _ in 0..random.usize(..4) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(..=bytes.len() + 9));
            if let Some(read) = TraceParent::parse(&bytes) {
                assert!(read.trace() != 0 && read.span() != 0);
                assert_eq!(TraceParent::parse(&read.encode()), Some(read));
            }
            let noise: Vec<u8> = (0..random.usize(..80)).map(|_| random.u8(..)).collect();
            assert_eq!(TraceParent::parse(&noise), None);
        }
    }

    #[test]
    fn every_single_wrong_byte_is_noticed() {
        let valid = format!("00-{TRACE}-{SPAN}-01").into_bytes();
        for at in 0..valid.len() {
            for wrong in [
                b'.', b'G', b'g', b'A', b'F', b'/', b':', b'`', b'_', 0, 0xff, b'\n',
            ] {
                let mut bytes = valid.clone();
                bytes[at] = wrong;
                assert_eq!(TraceParent::parse(&bytes), None, "{wrong} at {at}");
            }
        }
    }

    #[test]
    fn flags_are_bits_and_only_defined_ones_are_kept() {
        for (text, sampled, random) in [
            ("00", false, false),
            ("01", true, false),
            ("02", false, true),
            ("03", true, true),
            ("0a", false, true),
            ("f5", true, false),
            ("ff", true, true),
        ] {
            let read = with_flags(text).expect("valid");
            assert_eq!(read.flags().is_sampled(), sampled, "{text}");
            assert_eq!(read.flags().is_random(), random, "{text}");
            assert!(read.flags().bits() < 4, "{text}");
        }
        let random = TraceFlags::RANDOM;
        assert_eq!(random.sampled(true).sampled(false), random);
        assert_eq!(random.sampled(true).bits(), 3);
        assert_eq!(random.with(TraceFlags::SAMPLED).bits(), 3);
    }

    #[test]
    fn zero_ids_name_nothing() {
        assert_eq!(TraceParent::new(0, 1, TraceFlags::NONE), None);
        assert_eq!(TraceParent::new(1, 0, TraceFlags::NONE), None);
    }
}

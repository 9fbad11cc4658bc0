//! Words of stored text, and questions for them in the language of each database. Pure.
//!
//! A word is a run of letters and digits of any script, in lowercase. Both databases get words that
//! were cut here, separated by blanks, so that they agree about what a word is: SQLite's table
//! must use the tokenizer `ascii`, PostgreSQL's column holds `array_to_tsvector` of the words.
//!
//! Refuses more or longer words than its limits; the first ones count.

use std::collections::HashSet;

/// Longest word, in bytes; the rest is cut.
const WORD_BYTES_MAX: usize = 64;
/// Most words of a question; further ones are not looked for.
const QUERY_WORDS_MAX: usize = 16;

/// The words of `text`, each once, in the order of their first place.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = String> {
    let mut seen = HashSet::new();
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            // Letter by letter: one must not become another because a word goes on. Some capitals
            // become a letter and a mark that is none.
            let lower = word.chars().flat_map(char::to_lowercase);
            let mut word: String = lower.filter(|it| it.is_alphanumeric()).collect();
            word.truncate(word.floor_char_boundary(WORD_BYTES_MAX));
            word
        })
        .filter(move |word| seen.insert(word.clone()))
}

/// The first `words_max` words of `text` with blanks between them, to be stored.
pub(super) fn stored(text: &str, words_max: usize) -> String {
    tokens(text).take(words_max).collect::<Vec<_>>().join(" ")
}

/// A question: all of these words, of which the last may be the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query(Vec<String>);

impl Query {
    /// `None` when there is no word in `text`: then everything matches.
    pub(super) fn new(text: &str) -> Option<Self> {
        // Not each once: the last word counts as typed last.
        let words: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter_map(|word| tokens(word).next())
            .take(QUERY_WORDS_MAX)
            .collect();
        (!words.is_empty()).then_some(Self(words))
    }

    /// As the right side of `MATCH`.
    pub(super) fn sqlite(&self) -> String {
        let words = self.0.iter().map(|word| format!("\"{word}\""));
        words.collect::<Vec<_>>().join(" AND ") + "*"
    }

    /// `LIKE` patterns that all fit stored words put between blanks.
    pub(super) fn patterns(&self) -> Vec<String> {
        let last = self.0.len() - 1;
        let pattern = |(at, word): (usize, &String)| {
            let end = if at == last { "" } else { " " };
            format!("% {word}{end}%")
        };
        self.0.iter().enumerate().map(pattern).collect()
    }

    /// As text that casts to `tsquery`.
    pub(super) fn postgres(&self) -> String {
        let words = self.0.iter().map(|word| format!("'{word}'"));
        words.collect::<Vec<_>>().join(" & ") + ":*"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits_of_any_script() {
        let words = |text: &str| tokens(text).collect::<Vec<_>>();
        assert_eq!(
            words("rpc.call:shop/Charge_Card 42, 42 ÄRGER 東京タワー"),
            [
                "rpc",
                "call",
                "shop",
                "charge",
                "card",
                "42",
                "ärger",
                "東京タワー"
            ]
        );
        assert_eq!(words(" .-\0\"'* "), Vec::<String>::new());
        assert_eq!(words(&"é".repeat(40)), ["é".repeat(32)]);
        assert_eq!(stored("one two three", 2), "one two");
        assert_eq!(
            stored("İstanbul", 9),
            "istanbul",
            "the dot above is no letter"
        );
        assert_eq!(
            stored("ΣΟΦΟΣ", 1),
            "σοφοσ",
            "as in the beginning of a longer word"
        );
    }

    #[test]
    fn a_question_asks_for_every_word_and_the_last_as_a_beginning() {
        let query = Query::new("Charge; \"card\" 4").expect("has words");
        assert_eq!(query.sqlite(), r#""charge" AND "card" AND "4"*"#);
        assert_eq!(query.postgres(), "'charge' & 'card' & '4':*");
        assert_eq!(query.patterns(), ["% charge %", "% card %", "% 4%"]);
        assert_eq!(Query::new(" -- "), None);
        let long = "a ".repeat(QUERY_WORDS_MAX + 1);
        assert_eq!(
            Query::new(&long).map(|it| it.0.len()),
            Some(QUERY_WORDS_MAX)
        );
    }
}

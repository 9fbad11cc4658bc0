//! Which type a schema is of, and what it is called.
//!
//! schemars numbers types that share a name (`Order`, `Order2`), calls all instances of a generic
//! type the same, and keeps to itself which is which. Its generator prints it, and that is read here,
//! exactly and with a test that pins it. Should another version print something else, names stand
//! for themselves and are numbered as ever.
//!
//! Invariant: what a type is called depends on the type alone, not on what else is in the document.

use std::collections::BTreeMap;

use contract::message::schemars::SchemaGenerator;

/// What schemars writes around the type that a list, an option or a map holds, and what it is called.
const AROUND: [(&str, &str, &str); 3] = [
    ("[", "]", "List"),
    ("Option<", ">", "Option"),
    ("Map<", ">", "Map"),
];

/// A type with a schema of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// What it is called: `Order`, `Page_Order`.
    pub(super) short: String,
    /// `shop::orders::Order`, or the same as `short` where nobody said it.
    pub(super) site: String,
}

/// The types of a generator, by the names it gave. Its definitions must have been taken: a text in
/// them could look like what is looked for.
pub(super) fn names(generator: &SchemaGenerator) -> BTreeMap<String, Named> {
    let sites = sites(&format!("{generator:?}")).unwrap_or_default();
    let known: BTreeMap<&str, &str> = sites
        .iter()
        .map(|(name, site)| (&**site, &**name))
        .collect();
    let named = sites.iter().map(|(name, site)| {
        let (short, site) = (short(name, site, &known), site.clone());
        (name.clone(), Named { short, site })
    });
    named.collect()
}

/// The name without a number that schemars gave it, with the arguments of a generic type. `known`
/// are the names by sites.
fn short(name: &str, site: &str, known: &BTreeMap<&str, &str>) -> String {
    let (path, arguments) = site.split_once('<').unwrap_or((site, ""));
    let own = path.rsplit("::").next().unwrap_or(path);
    let number = name.strip_prefix(own);
    let is_numbered = number.is_some_and(|it| it.bytes().all(|it| it.is_ascii_digit()));
    if !is_numbered {
        // Its author named it otherwise.
        return name.to_owned();
    }
    match arguments.strip_suffix('>') {
        Some(arguments) => format!("{own}_{}", argument(arguments, known)),
        None => own.to_owned(),
    }
}

/// What an argument of a generic type is called. Several stand one behind the other with nothing in
/// between (`shop::Lineshop::Order`), so where it is no type that is known it keeps its whole text.
fn argument(site: &str, known: &BTreeMap<&str, &str>) -> String {
    if let Some(name) = known.get(site) {
        return short(name, site, known);
    }
    for (before, after, word) in AROUND {
        let held = site.strip_prefix(before);
        let held = held.and_then(|it| it.strip_suffix(after));
        if let Some(held) = held.filter(|it| is_closed(it)) {
            return format!("{word}_{}", argument(held, known));
        }
    }
    let words = site.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    let words: Vec<_> = words.filter(|it| !it.is_empty()).collect();
    words.join("_")
}

/// Whether each bracket that is closed was opened here: `A>Option<B` is what is left of two types.
fn is_closed(site: &str) -> bool {
    let mut open = 0_usize;
    site.chars().all(|it| match it {
        '<' | '[' => {
            open += 1;
            true
        }
        '>' | ']' => {
            let was_open = open > 0;
            open = open.saturating_sub(1);
            was_open
        }
        _ => true,
    })
}

/// Reads `schema_id_to_name: {SchemaUid("shop::Order", Deserialize): "Order", …}`.
fn sites(printed: &str) -> Option<BTreeMap<String, String>> {
    let (_, mut rest) = printed.split_once("schema_id_to_name: {")?;
    let mut sites = BTreeMap::new();
    while let Some(behind) = rest.strip_prefix("SchemaUid(\"") {
        let (site, behind) = behind.split_once("\", ")?;
        let (_, behind) = behind.split_once("): \"")?;
        let (name, behind) = behind.split_once('"')?;
        sites.insert(name.to_owned(), site.to_owned());
        rest = behind.strip_prefix(", ").unwrap_or(behind);
    }
    rest.starts_with('}').then_some(sites)
}

#[cfg(test)]
mod tests {
    use contract::message::schemars::{self, JsonSchema};

    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Order {
        other: other::Order,
        second: Order2,
        pages: (Page<Order>, Page<other::Order>, Page<Page<Order2>>),
        renamed: (Other, Sheet<Order>),
        first_pair: Pair<Order2, Other>,
        second_pair: Pair<Box<Order>, Other>,
        third_pair: Pair<u8, String>,
        fourth_pair: Pair<Option<u8>, Option<u16>>,
        listed: Page<Vec<Order>>,
        optional: Page<Option<Order>>,
        bytes: Page<Vec<Vec<u8>>>,
    }

    #[derive(JsonSchema)]
    #[schemars(rename = "Renamed")]
    struct Other {}

    #[derive(JsonSchema)]
    #[schemars(rename = "Sheet_of_{T}")]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Sheet<T> {
        of: Vec<T>,
    }

    #[derive(JsonSchema)]
    struct Order2 {}

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Page<T> {
        items: Vec<T>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Pair<A, B> {
        both: (A, B),
    }

    mod other {
        use contract::message::schemars::{self, JsonSchema};

        #[derive(JsonSchema)]
        pub(super) struct Order {}
    }

    #[test]
    fn a_type_is_told_from_another_of_its_name() {
        let mut generator = SchemaGenerator::default();
        generator.subschema_for::<Order>();
        generator.take_definitions(false);
        let named = names(&generator).into_values();
        let mut named: Vec<_> = named.map(|it| (it.site, it.short)).collect();
        named.sort();
        let expected = [
            ("~::Order", "Order"),
            ("~::Order2", "Order2"),
            ("~::Page<Option<~::Order>>", "Page_Option_Order"),
            ("~::Page<[[uint8]]>", "Page_List_List_uint8"),
            ("~::Page<[~::Order]>", "Page_List_Order"),
            ("~::Page<~::Order2>", "Page_Order2"),
            ("~::Page<~::Order>", "Page_Order"),
            ("~::Page<~::Page<~::Order2>>", "Page_Page_Order2"),
            ("~::Page<~::other::Order>", "Page_Order"),
            (
                "~::Pair<Option<uint8>Option<uint16>>",
                "Pair_Option_uint8_Option_uint16",
            ),
            ("~::Pair<~::Order2~::Renamed>", "Pair_~_Order2~_Renamed"),
            ("~::Pair<~::Order~::Renamed>", "Pair_~_Order~_Renamed"),
            ("~::Pair<uint8string>", "Pair_uint8string"),
            ("~::Renamed", "Renamed"),
            ("~::Sheet_of_{T}<~::Order>", "Sheet_of_Order"),
            ("~::other::Order", "Order"),
        ];
        let expected = expected.map(|(site, short)| {
            let site = site.replace('~', module_path!());
            let escaped = module_path!().replace("::", "_");
            (site, short.replace('~', &escaped))
        });
        assert_eq!(named, expected);
    }

    #[test]
    fn what_is_printed_otherwise_is_not_guessed_at() {
        assert_eq!(sites("SchemaGenerator { ids: {} }"), None);
        assert_eq!(sites("schema_id_to_name: {Uid(1): \"Order\"}"), None);
        assert_eq!(sites("schema_id_to_name: {}"), Some(BTreeMap::new()));
    }
}

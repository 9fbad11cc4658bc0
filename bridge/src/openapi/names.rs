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
    let named = sites.into_iter().map(|(name, site)| {
        let short = short(&name, &site);
        (name, Named { short, site })
    });
    named.collect()
}

/// The name without a number that schemars gave it, with the arguments of a generic type.
fn short(name: &str, site: &str) -> String {
    let (path, arguments) = site.split_once('<').unwrap_or((site, ""));
    let own = path.rsplit("::").next().unwrap_or(path);
    let number = name.strip_prefix(own);
    let is_numbered = number.is_some_and(|it| it.bytes().all(|it| it.is_ascii_digit()));
    if !is_numbered {
        // Its author named it otherwise.
        return name.to_owned();
    }
    let arguments = arguments.split(['<', '>']).map(without_path);
    let arguments = arguments.filter(|it| !it.is_empty());
    let all: Vec<_> = std::iter::once(own).chain(arguments).collect();
    all.join("_")
}

fn without_path(site: &str) -> &str {
    site.rsplit("::").next().unwrap_or(site)
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
            ("~::Page<~::Order2>", "Page_Order2"),
            ("~::Page<~::Order>", "Page_Order"),
            ("~::Page<~::Page<~::Order2>>", "Page_Page_Order2"),
            ("~::Page<~::other::Order>", "Page_Order"),
            ("~::Renamed", "Renamed"),
            ("~::Sheet_of_{T}<~::Order>", "Sheet_of_Order"),
            ("~::other::Order", "Order"),
        ];
        let expected = expected.map(|(site, short)| {
            let site = site.replace('~', module_path!());
            (site, short.to_owned())
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

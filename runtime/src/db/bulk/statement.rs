//! Statements about any table, from the templates under `sql/bulk/`.
//!
//! Refuses names that are not lowercase letters, digits and `_`: they come from our own migrations
//! and, in a restore, from a file.

use super::value::{Column, Kind};
use crate::db::error::{DbError, DbErrorKind};

const ROWS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/sql/bulk/rows.template.sql"
));
const ROWS_OF_SLICE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/sql/bulk/rows_of_slice.template.sql"
));
const INSERT: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/sql/bulk/insert.template.sql"
));

/// Parameters of one statement; SQLite takes 32,766 and PostgreSQL 65,535.
const PARAMETERS_MAX: usize = 30_000;
/// Rows of one statement: more do not make it faster.
const ROWS_MAX: usize = 64;

/// All rows of a table, or those of one slice, which is `$1`.
pub(super) fn rows(table: &str, columns: &[Column], of_slice: bool) -> Result<String, DbError> {
    let template = if of_slice { ROWS_OF_SLICE } else { ROWS };
    let columns = columns.iter().map(|it| it.name.as_str());
    fill(template, table, columns)
}

/// Rows that one insert may take.
pub(super) fn rows_max(columns: usize) -> usize {
    (PARAMETERS_MAX / columns.max(1)).clamp(1, ROWS_MAX)
}

/// An insert of `rows` rows, with a parameter for each value.
pub(super) fn insert(table: &str, columns: &[Column], rows: usize) -> Result<String, DbError> {
    let names = columns.iter().map(|it| it.name.as_str());
    let filled = fill(INSERT, table, names)?;
    let mut values = String::with_capacity(rows * columns.len() * 7);
    let mut parameter = 0;
    for row in 0..rows {
        values.push_str(if row == 0 { "(" } else { ", (" });
        for (at, column) in columns.iter().enumerate() {
            parameter += 1;
            let comma = if at == 0 { "" } else { ", " };
            let value = match column.kind {
                Kind::Words => format!("array_to_tsvector(string_to_array(${parameter}, ' '))"),
                _ => format!("${parameter}"),
            };
            values.push_str(comma);
            values.push_str(&value);
        }
        values.push(')');
    }
    Ok(filled.replace("{rows}", &values))
}

fn fill<'c>(
    template: &str,
    table: &str,
    columns: impl Iterator<Item = &'c str>,
) -> Result<String, DbError> {
    let columns: Vec<String> = columns.map(quoted).collect::<Result<_, _>>()?;
    Ok(template
        .trim_end()
        .replace("{columns}", &columns.join(", "))
        .replace("{table}", &quoted(table)?))
}

fn quoted(name: &str) -> Result<String, DbError> {
    let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
    if name.is_empty() || !name.chars().all(plain) {
        let detail = format!("`{}` is no name of ours", name.escape_debug());
        return Err(DbError::new(
            DbErrorKind::Schema,
            "name a table or column",
            detail,
        ));
    }
    Ok(format!("\"{name}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        [("id", Kind::Integer), ("words", Kind::Words)]
            .map(|(name, kind)| Column {
                name: name.to_owned(),
                kind,
            })
            .to_vec()
    }

    #[test]
    fn statements_name_every_column_and_parameter() {
        assert_eq!(
            rows("logs", &columns(), true).expect("names"),
            r#"SELECT "id", "words" FROM "logs" WHERE slice = $1"#
        );
        assert_eq!(
            insert("logs", &columns(), 2).expect("names"),
            r#"INSERT INTO "logs" ("id", "words") VALUES ($1, array_to_tsvector(string_to_array($2, ' '))), ($3, array_to_tsvector(string_to_array($4, ' ')))"#
        );
        assert_eq!(
            (rows_max(1), rows_max(10_000), rows_max(99_999)),
            (64, 3, 1)
        );
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for name in ["", "a b", "x\"; DROP TABLE y", "É", "{table}"] {
            assert!(rows(name, &columns(), false).is_err(), "{name}");
        }
    }
}

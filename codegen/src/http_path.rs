//! Path templates of `google.api.http` as paths of OpenAPI.
//!
//! A variable of the option may span segments (`{name=orders/*}`), a parameter of OpenAPI is one.
//! What is fixed in a pattern becomes fixed in the path, and each `*` a parameter: that pattern is
//! `/orders/{name}`, and `name` is said to be `orders/{name}` in the message.
//!
//! Refuses a template that ends too early. Invariant: the parameters of a path differ.

use std::collections::BTreeSet;

/// A path with its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// As OpenAPI writes it.
    pub(crate) text: String,
    pub(crate) variables: Vec<Variable>,
}

/// A field of the request that is taken from the path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The field, with dots through messages.
    pub(crate) field: String,
    /// The parameters that its value is made of.
    pub(crate) parameters: Vec<String>,
    /// How, where it is not the one parameter itself: `orders/{name}`.
    pub(crate) made_of: Option<String>,
}

/// Reads a template; the error says what is wrong with it.
pub(crate) fn parse(template: &str) -> Result<Path, String> {
    if !template.starts_with('/') {
        return Err(format!("path `{template}` does not start with `/`"));
    }
    let mut path = Path {
        text: String::new(),
        variables: Vec::new(),
    };
    let mut taken = BTreeSet::new();
    let mut rest = template;
    let mut unnamed = 0;
    while let Some(at) = rest.find(['{', '*']) {
        path.text.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('*') {
            // A segment that no field takes.
            unnamed += 1;
            let parameter = free(&mut taken, &format!("segment_{unnamed}"));
            path.text.push_str(&format!("{{{parameter}}}"));
            rest = rest.trim_start_matches('*');
            continue;
        }
        let Some(end) = rest.find('}') else {
            return Err(format!("path `{template}` has a `{{` without `}}`"));
        };
        let (field, pattern) = rest[1..end].split_once('=').unwrap_or((&rest[1..end], "*"));
        if field.is_empty() {
            return Err(format!("path `{template}` has a variable without a name"));
        }
        let variable = variable(field, pattern, &mut taken);
        match &variable.made_of {
            Some(made_of) => path.text.push_str(made_of),
            None => path
                .text
                .push_str(&format!("{{{}}}", variable.parameters[0])),
        }
        path.variables.push(variable);
        rest = &rest[end + 1..];
    }
    path.text.push_str(rest);
    Ok(path)
}

/// A path without the names of its parameters, and those names in order.
pub(crate) fn form(path: &str) -> (String, Vec<String>) {
    let mut names = Vec::new();
    let mut parts = path.split('{');
    let mut form = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        names.push(name.to_owned());
        form.push_str("{}");
        form.push_str(rest);
    }
    (form, names)
}

fn variable(field: &str, pattern: &str, taken: &mut BTreeSet<String>) -> Variable {
    let stars = pattern.split('/').filter(|it| it.starts_with('*')).count();
    let mut parameters = Vec::new();
    let segments: Vec<_> = pattern
        .split('/')
        .map(|segment| {
            if !segment.starts_with('*') {
                return segment.to_owned();
            }
            let wanted = match stars {
                1 => field.to_owned(),
                _ => format!("{field}_{}", parameters.len() + 1),
            };
            let parameter = free(taken, &wanted);
            let text = format!("{{{parameter}}}");
            parameters.push(parameter);
            text
        })
        .collect();
    Variable {
        field: field.to_owned(),
        made_of: (segments.len() > 1 || parameters.is_empty()).then(|| segments.join("/")),
        parameters,
    }
}

fn free(taken: &mut BTreeSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[track_caller]
    fn check(template: &str, expected: &str, fields: &[&str]) {
        let path = parse(template).unwrap();
        assert_eq!(path.text, expected);
        let found: Vec<_> = path
            .variables
            .iter()
            .map(|it| format!("{}: {}", it.field, it.parameters.join(" ")))
            .collect();
        assert_eq!(found, fields);
    }

    #[test]
    fn variables_become_parameters_and_fixed_parts_stay_fixed() {
        check("/v1/orders", "/v1/orders", &[]);
        check(
            "/v1/orders/{id}:cancel",
            "/v1/orders/{id}:cancel",
            &["id: id"],
        );
        check("/v1/{name=orders/*}", "/v1/orders/{name}", &["name: name"]);
        check(
            "/v1/{name=shelves/*/books/*}/{order.id}",
            "/v1/shelves/{name_1}/books/{name_2}/{order.id}",
            &["name: name_1 name_2", "order.id: order.id"],
        );
        check("/v1/{path=**}", "/v1/{path}", &["path: path"]);
        check("/v1/*/{id}", "/v1/{segment_1}/{id}", &["id: id"]);
        check("/v1/{kind=fixed}", "/v1/fixed", &["kind: "]);
    }

    #[test]
    fn templates_that_end_too_early_are_refused() {
        assert!(parse("/v1/{id").is_err());
        assert!(parse("v1").is_err());
        assert!(parse("/{=a/*}").is_err());
    }
}

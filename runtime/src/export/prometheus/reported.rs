//! Services' series as families: grouped, named, told apart where names fall together. Pure.
//!
//! Two metrics whose names differ only in letters that Prometheus does not know would become one
//! family with lines twice. The first of them by name keeps the plain name, the others get a few
//! digits that follow from their own. The same goes for labels.

use std::collections::{BTreeMap, BTreeSet};

use contract::ids::ServiceId;
use sha2::{Digest as _, Sha256};

use super::names;
use super::text::{Family, Kind, Labels, Sample, Value};
use crate::telemetry::{MetricKind, MetricTotal};

/// What makes series one family: name, kind, unit.
type Key = (String, MetricKind, String);

/// Families of services' series, by name; `taken` are names of lines that they must not have.
pub(super) fn families(
    totals: Vec<MetricTotal>,
    taken: impl IntoIterator<Item = String>,
    name_of: impl Fn(ServiceId) -> String,
) -> Vec<Family> {
    let mut groups: BTreeMap<Key, Vec<MetricTotal>> = BTreeMap::new();
    for total in totals {
        let key = (total.name.clone(), total.kind, total.unit.clone());
        groups.entry(key).or_default().push(total);
    }
    let mut taken: BTreeSet<String> = taken.into_iter().collect();
    let mut names: BTreeMap<ServiceId, String> = BTreeMap::new();
    let mut families = Vec::with_capacity(groups.len());
    for (key, totals) in groups {
        let mut family = family(&key);
        if family.line_names().iter().any(|it| taken.contains(it)) {
            let digits = digits(&[&key.0, key.1.word(), &key.2]);
            family.name = [&family.name, "_x", &digits].concat();
        }
        taken.extend(family.line_names());
        let mut lines = BTreeSet::new();
        for total in totals {
            let service = names.entry(total.service);
            let service = service.or_insert_with_key(|it| name_of(*it));
            let sample = sample(service, total);
            // Only what was renamed by hand to look the same is left out.
            if lines.insert(sample.labels.clone()) {
                family.samples.push(sample);
            }
        }
        family.samples.sort_by(|a, b| a.labels.cmp(&b.labels));
        families.push(family);
    }
    families.sort_by(|a, b| a.name.cmp(&b.name));
    families
}

fn family((name, kind, unit): &Key) -> Family {
    let help = if unit.is_empty() || unit == "1" {
        format!("{name}, reported by services.")
    } else {
        format!("{name} in {unit}, reported by services.")
    };
    Family {
        name: names::family(name, unit, *kind),
        kind: match kind {
            MetricKind::Counter => Kind::Counter,
            MetricKind::Gauge => Kind::Gauge,
            MetricKind::Histogram => Kind::Histogram,
        },
        help,
        samples: Vec::new(),
    }
}

fn sample(service: &str, total: MetricTotal) -> Sample {
    let mut labels: Labels = vec![
        ("service".to_owned(), service.to_owned()),
        ("instance".to_owned(), total.instance.to_string()),
    ];
    let mut used: BTreeSet<String> = labels.iter().map(|it| it.0.clone()).collect();
    for (key, value) in total.labels {
        let mut name = names::label(&key);
        if !used.insert(name.clone()) {
            name = [&name, "_x", &digits(&[&key])].concat();
            used.insert(name.clone());
        }
        labels.push((name, value));
    }
    let value = match total.kind {
        MetricKind::Counter | MetricKind::Gauge => Value::Number(total.value),
        MetricKind::Histogram => Value::Histogram(total.bounds, total.counts, total.value),
    };
    Sample { labels, value }
}

/// Six digits that follow from words.
fn digits(words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(3)
        .map(|it| format!("{it:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use contract::clock::{Clock, Timestamp};
    use contract::ids::{IdMint, InstanceId};

    use super::super::text::{Format, write};
    use super::*;

    fn total(mint: &IdMint, name: &str, kind: MetricKind, labels: &[(&str, &str)]) -> MetricTotal {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        MetricTotal {
            name: name.to_owned(),
            kind,
            unit: String::new(),
            service: ServiceId::mint(mint),
            instance: InstanceId::mint(mint),
            labels: labels.iter().map(own).collect(),
            value: 1.0,
            bounds: Vec::new(),
            counts: vec![1],
        }
    }

    fn mint() -> IdMint {
        let (clock, _hand) = Clock::manual(Timestamp::from_millis(5));
        IdMint::seeded(1, &clock)
    }

    #[test]
    fn names_that_fall_together_are_told_apart_and_no_line_is_there_twice() {
        let mint = mint();
        use MetricKind::{Counter, Gauge, Histogram};
        let all = [
            ("a.b", Counter),
            ("a_b", Counter),
            ("a-b_total", Counter),
            ("a_b", Gauge),
            ("took", Histogram),
            ("took_count", Gauge),
            ("took.bucket", Counter),
            ("process_cpu_seconds_total", Gauge),
        ];
        let totals = all.map(|(name, kind)| total(&mint, name, kind, &[]));
        let taken = ["process_cpu_seconds_total".to_owned()];
        let shown = families(totals.to_vec(), taken.clone(), |_| "shop".to_owned());
        assert_eq!(shown.len(), all.len());
        let mut names: Vec<String> = shown.iter().flat_map(Family::line_names).collect();
        names.extend(taken);
        let unique: BTreeSet<&String> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
        let again = families(totals.into_iter().rev().collect(), [], |_| {
            "shop".to_owned()
        });
        assert!(
            again.iter().any(|it| it.name == "a_b"),
            "one of them is plain"
        );
    }

    #[test]
    fn labels_that_fall_together_are_told_apart() {
        let mint = mint();
        let labels = [
            ("a.b", "1"),
            ("a_b", "2"),
            ("service", "3"),
            ("exported_service", "4"),
        ];
        let shown = families(
            vec![total(&mint, "x", MetricKind::Gauge, &labels)],
            [],
            |_| "shop".to_owned(),
        );
        let keys: BTreeSet<_> = shown[0].samples[0].labels.iter().map(|it| &it.0).collect();
        assert_eq!(keys.len(), 6, "{keys:?}");
        let text = write(&shown, Format::Plain);
        assert!(text.contains(r#"x{service="shop",instance=""#), "{text}");
    }
}

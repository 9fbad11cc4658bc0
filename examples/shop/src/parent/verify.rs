//! What must hold of everything that was shown. Pure: values in, the first thing wrong out.
//!
//! Invariant: `Ok` means exactly the expected, so something too much fails like something missing.

use bridge::embedded::{LogLine, MetricLine, ServiceMap, TraceTree};

use super::Failure;
use super::http::Answer;

/// Depth, subject and service of every operation of an order, in the order of the tree.
const TRACE: [(usize, &str, &str); 5] = [
    (0, "http.handle:POST//v1/orders", "orders"),
    (1, "rpc.call:inventory/Reserve", "orders"),
    (1, "rpc.call:payments/Charge", "orders"),
    (2, "rpc.call:inventory/Quote", "payments"),
    (1, "books.write", "orders"),
];
/// What is logged about an order, and what is counted.
const LINE: &str = "order placed";
const OUTCOMES: [&str; 2] = ["placed", "refused"];
/// HTTP routes of each service, in the order of `SERVICES`.
const ROUTES: [&[&str]; 3] = [
    &["GET /health", "GET /v1/stock"],
    &["GET /health", "GET /v1/orders/{id}", "POST /v1/orders"],
    &["GET /health", "GET /v1/charges"],
];

/// Services, what they serve, and what they declared to call.
const SERVICES: [(&str, &[&str]); 3] = [
    ("inventory", &["Quote", "Release", "Reserve"]),
    ("orders", &["Find"]),
    ("payments", &["Charge"]),
];
const CALLS: [(&str, &str, &str); 7] = [
    ("orders", "inventory", "Quote"),
    ("orders", "inventory", "Release"),
    ("orders", "inventory", "Reserve"),
    ("orders", "payments", "Charge"),
    ("payments", "inventory", "Quote"),
    ("payments", "inventory", "Release"),
    ("payments", "inventory", "Reserve"),
];

/// The order was placed and costs what it should.
pub(super) fn order(answer: &Answer) -> Result<(), Failure> {
    let cents = answer.body["cents"].as_i64();
    same("status of the order", &answer.status, &201)?;
    same("price of the order in cents", &cents, &Some(2 * 1_290))
}

/// The other one was refused, in the way HTTP has for that.
pub(super) fn refusal(answer: &Answer) -> Result<(), Failure> {
    let code = answer.body["code"].as_str();
    same("status of the refusal", &answer.status, &409)?;
    same(
        "type of the refusal",
        &&*answer.content_type,
        &"application/problem+json",
    )?;
    same("code of the refusal", &code, &Some("OUT_OF_STOCK"))
}

/// The whole order is one trace, every step of it over and successful.
pub(super) fn trace(tree: &TraceTree) -> Result<(), Failure> {
    let seen: Vec<_> = tree
        .ops
        .iter()
        .map(|it| (it.depth, &*it.subject, &*it.service))
        .collect();
    same("operations of the trace", &&*seen, &&TRACE[..])?;
    for op in &tree.ops {
        same(
            &format!("status of {}", op.subject),
            &&*op.status,
            &"SUCCESS",
        )?;
        same(
            &format!("end of {}", op.subject),
            &op.duration_ms.is_some(),
            &true,
        )?;
    }
    Ok(())
}

/// The order was logged once, in its trace, by an operation of it.
pub(super) fn logs(lines: &[LogLine], tree: &TraceTree) -> Result<(), Failure> {
    let seen: Vec<_> = lines
        .iter()
        .map(|it| (&*it.message, &*it.service))
        .collect();
    same("lines logged in the trace", &seen, &vec![(LINE, "orders")])?;
    let op = tree.ops.iter().find(|it| it.op_id == lines[0].op_id);
    let subject = op.map(|it| &*it.subject);
    same("operation of the line", &subject, &Some(TRACE[0].1))?;
    same(
        "order in the line",
        &lines[0].fields["order.id"].is_string(),
        &true,
    )
}

/// Both orders were counted, by what became of them.
pub(super) fn metric(series: &[MetricLine]) -> Result<(), Failure> {
    let counted = series
        .iter()
        .filter(|it| it.points.iter().any(|dot| dot.max > 0.0));
    let mut outcomes: Vec<_> = counted.filter_map(|it| it.labels.get("outcome")).collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    same(
        "outcomes that were counted",
        &outcomes,
        &OUTCOMES
            .iter()
            .map(|it| (*it).to_owned())
            .collect::<Vec<_>>()
            .iter()
            .collect(),
    )
}

/// Every service runs once, serves its methods, and can reach what it declared to call.
pub(super) fn map(map: &ServiceMap) -> Result<(), Failure> {
    let names: Vec<_> = map.services.iter().map(|it| &*it.name).collect();
    same("services", &names, &SERVICES.map(|it| it.0).to_vec())?;
    for ((service, (name, methods)), routes) in map.services.iter().zip(SERVICES).zip(ROUTES) {
        // In a data folder of an earlier run, its instances may still be awaited for a while.
        let instances = service.instances.iter().map(|it| &*it.status);
        let instances: Vec<_> = instances.filter(|it| *it != "returning").collect();
        same(
            &format!("instances of {name}"),
            &instances,
            &vec!["connected"],
        )?;
        let rpc = service.methods.iter().filter(|it| it.kind == "rpc");
        let served: Vec<_> = rpc.map(|it| &*it.name).collect();
        same(&format!("methods of {name}"), &served, &methods.to_vec())?;
        let http = service.methods.iter().filter(|it| it.kind == "http");
        let mut mounted: Vec<_> = http.map(|it| &*it.name).collect();
        mounted.sort_unstable();
        same(&format!("routes of {name}"), &mounted, &routes.to_vec())?;
    }
    let edges = map.edges.iter().filter(|it| it.live);
    let edges: Vec<_> = edges.map(|it| (&*it.from, &*it.to, &*it.method)).collect();
    same("calls that can be made", &edges, &CALLS.to_vec())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, expected: &T) -> Result<(), Failure> {
    if seen == expected {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, seen {seen:?}").into())
}

#[cfg(test)]
mod tests {
    use bridge::embedded::TraceOp;

    use super::*;

    fn op((depth, subject, service): (usize, &str, &str)) -> TraceOp {
        TraceOp {
            op_id: String::new(),
            depth,
            channel: "rpc".into(),
            subject: subject.into(),
            service: service.into(),
            instance_id: String::new(),
            peer: String::new(),
            started_at_unix_ms: 1,
            duration_ms: Some(1),
            status: "SUCCESS".into(),
            message: String::new(),
            attempt: 1,
            ..TraceOp::default()
        }
    }

    fn whole() -> TraceTree {
        TraceTree {
            trace_id: String::new(),
            ops: TRACE.map(op).into(),
            ..TraceTree::default()
        }
    }

    fn refused(change: impl FnOnce(&mut TraceTree)) -> bool {
        let mut tree = whole();
        change(&mut tree);
        trace(&tree).is_err()
    }

    #[test]
    fn a_trace_with_anything_missing_added_moved_or_failed_is_refused() {
        assert!(trace(&whole()).is_ok());
        assert!(refused(|it| it.ops.truncate(4)));
        assert!(refused(|it| it.ops.push(op(TRACE[1]))));
        assert!(refused(|it| it.ops[3].depth = 1));
        assert!(refused(|it| it.ops[3].service = "orders".into()));
        assert!(refused(|it| it.ops[2].status = "ERROR".into()));
        assert!(refused(|it| it.ops[0].duration_ms = None));
    }
}

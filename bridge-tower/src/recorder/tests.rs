//! What a recorder keeps by itself, without a request.

use super::*;

#[test]
fn a_route_keeps_its_number_and_routes_without_room_are_unmatched() {
    let recorder = Recorder::new();
    let first = recorder.route("/a");
    assert_eq!(recorder.route("/a"), first);
    assert_eq!(recorder.route_name(first).as_deref(), Some("/a"));
    for at in 1..ROUTES_MAX {
        assert_ne!(recorder.route(&at.to_string()), Route::UNMATCHED);
    }
    assert_eq!(recorder.route("/one-more"), Route::UNMATCHED);
    assert_eq!(recorder.route("/a"), first);
    assert_eq!(recorder.route_name(Route::UNMATCHED), None);
}

#[test]
fn counts_of_a_thread_that_ended_stay() {
    let recorder = Recorder::new();
    let key = SeriesKey {
        route: recorder.route("/a"),
        verb: crate::record::Verb::Get,
        status: 200,
        broken: false,
    };
    let counted = recorder.clone();
    std::thread::spawn(move || counted.0.ended(key, 1_000_000, 5, None))
        .join()
        .expect("it ends");
    for _ in 0..3 {
        recorder.flush();
        let totals = recorder.totals();
        assert_eq!(totals.len(), 1);
        assert_eq!(totals[0].total.count, 1);
        assert_eq!(totals[0].route.as_deref(), Some("/a"));
    }
    assert_eq!(recorder.0.shards.lock().len(), 1);
}

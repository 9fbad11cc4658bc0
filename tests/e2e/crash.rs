//! Instances that die or freeze while they are called.

use std::collections::BTreeSet;
use std::time::Duration;

use bridge::Transport;
use rustix::process::Signal;

use crate::contracts::v1::Desk;
use crate::harness::{Load, eventually, failures, on_both_databases, soak};

/// Longest a killed instance may stay on the map.
const KILLED_MAX: Duration = Duration::from_secs(5);
/// Longest a frozen instance may stay on the map.
const FROZEN_MAX: Duration = Duration::from_secs(15);

on_both_databases! {
    async fn a_killed_instance_costs_no_call_after_the_first_second(world: World) {
        let keeper = world.desk("payments").await;
        let mut killed = world.desk("payments").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client_of::<Desk>("payments");
        let bridge = builder.start().await.expect("starts");
        let load = Load::start(&world.clock, &desk, 200, Transport::Auto);
        world.clock.sleep(Duration::from_secs(2)).await;

        let killed_at = world.clock.monotonic();
        killed.process.kill();
        let gone = world.gone(KILLED_MAX, "payments", &killed.instance).await;
        world.clock.sleep(Duration::from_secs(if soak() { 60 } else { 2 })).await;
        let outcomes = load.finish().await;

        let served: BTreeSet<_> = outcomes
            .iter()
            .filter(|it| it.started < killed_at)
            .filter_map(|it| Some(it.result.as_ref().ok()?.instance.clone()))
            .collect();
        assert_eq!(served.len(), 2, "both served before");
        let second = killed_at + Duration::from_secs(1);
        let late = failures(&outcomes, |it| it.started > second);
        assert!(late.is_empty(), "{late:?}");
        let before = failures(&outcomes, |it| it.ended < killed_at);
        assert!(before.is_empty(), "{before:?}");
        let first = failures(&outcomes, |_| true);
        println!(
            "{} calls, {} failed within a second of the kill, off the map after {gone:?}",
            outcomes.len(), first.len()
        );
        assert!(outcomes.len() > 600, "{} calls", outcomes.len());
        let left = world.instances("payments").await;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].id, keeper.instance);
        bridge.stop().await;
    }

    async fn a_frozen_instance_leaves_the_map_and_returns_when_it_thaws(world: World) {
        let keeper = world.desk("payments").await;
        let frozen = world.desk("payments").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client_of::<Desk>("payments");
        let bridge = builder.start().await.expect("starts");

        frozen.process.signal(Signal::STOP);
        let gone = world.gone(FROZEN_MAX, "payments", &frozen.instance).await;
        println!("off the map {gone:?} after freezing");
        let load = Load::start(&world.clock, &desk, 50, Transport::Auto);
        world.clock.sleep(Duration::from_secs(1)).await;
        let outcomes = load.finish().await;
        let failed = failures(&outcomes, |_| true);
        assert!(failed.is_empty(), "{failed:?}");
        assert!(outcomes.iter().flat_map(|it| &it.result).all(|it| it.instance == keeper.instance));

        frozen.process.signal(Signal::CONT);
        let (_, back) = eventually(Duration::from_secs(20), "back on the map", async || {
            (world.instances("payments").await.len() == 2).then_some(())
        })
        .await;
        println!("back {back:?} after thawing");
        bridge.stop().await;
    }
}

//! A service is revoked while it is called and while it calls.

use std::time::Duration;

use bridge::{Bridge, ErrorCode, Transport};

use crate::contracts::v1::{Desk, EchoRequest};
use crate::harness::{Load, eventually, failures, on_both_databases, said};

const TOLD_MAX: Duration = Duration::from_secs(5);

on_both_databases! {
    async fn a_revoked_service_is_cut_off_under_load_and_nobody_else_notices(world: World) {
        let mut revoked = world.desk("desk").await;
        let key = world.key("desk").await;
        let _other = world.desk("ledger").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client::<Desk>();
        let ledger = builder.client_of::<Desk>("ledger");
        let bridge = builder.start().await.expect("starts");
        let loads = [
            Load::start(&world.clock, &desk, 50, Transport::Auto),
            Load::start(&world.clock, &ledger, 50, Transport::Auto),
        ];
        world.clock.sleep(Duration::from_secs(1)).await;

        let revoked_at = world.clock.monotonic();
        world.revoke("desk").await;
        let (status, _) = revoked.process.ended(TOLD_MAX).await;
        assert_eq!(status.code(), Some(1));
        let last = revoked.process.line(TOLD_MAX, "reason", |line| said(line, "failed")).await;
        assert_eq!(last["code"], ErrorCode::AccessDenied.as_str(), "{last}");
        assert!(last["error"].as_str().is_some_and(|it| it.contains("revoked")), "{last}");
        world.clock.sleep(Duration::from_secs(2)).await;

        let [desk_load, ledger_load] = loads;
        let outcomes = desk_load.finish().await;
        let second = revoked_at + Duration::from_secs(1);
        let after: Vec<_> = outcomes.iter().filter(|it| it.started > second).collect();
        assert!(!after.is_empty());
        for outcome in after {
            let error = outcome.result.as_ref().expect_err("nobody may answer");
            let told = [ErrorCode::AccessDenied, ErrorCode::NoLiveInstance];
            assert!(told.contains(&error.code()), "{}: {error}", error.code().as_str());
        }
        let before = failures(&outcomes, |it| it.ended < revoked_at);
        assert!(before.is_empty(), "{before:?}");
        let bystander = failures(&ledger_load.finish().await, |_| true);
        assert!(bystander.is_empty(), "{bystander:?}");

        let again = Bridge::builder("desk").runtime(world.address(), key).caller_only();
        let again = again.start().await.expect_err("its key is dead");
        assert_eq!(again.code(), ErrorCode::AccessDenied);
        assert!(again.to_string().contains("revoked"), "{again}");
        bridge.stop().await;
    }

    async fn a_revoked_caller_is_refused_by_everybody_and_stops(world: World) {
        let _desk = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client::<Desk>();
        let bridge = builder.start().await.expect("starts");
        desk.echo(EchoRequest::default()).await.expect("allowed so far");
        world.revoke("orders").await;
        let ended = world.clock.timeout(TOLD_MAX, bridge.stopped()).await;
        let reason = ended.expect("told at once").expect_err("not by its own will");
        assert_eq!(reason.code(), ErrorCode::AccessDenied, "{reason}");
        assert!(reason.to_string().contains("revoked"), "{reason}");
        let (refused, _) = eventually(TOLD_MAX, "calls refused", async || {
            desk.echo(EchoRequest::default()).await.err()
        })
        .await;
        assert!(!refused.to_string().is_empty());
    }
}

//! What accounts promise, on both databases. Over the wire: `http::tests` and the end-to-end
//! tests of the console.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use contract::clock::{Clock, ManualClock};

use super::engine::ENTRIES_MAX;
use super::sessions::{Begun, Login};
use super::{Accounts, Caller, Error, Parts, Role, Via};
use crate::audit;
use crate::db::testing::{TestDb, on_both_databases};
use crate::db::{DbError, Store};
use crate::settings::Settings;

const PASSWORD: &str = "correct horse battery";

/// Accounts with an admin called ada, on a clock moved by hand.
struct Bench {
    accounts: Accounts,
    settings: Settings,
    hand: ManualClock,
    clock: Clock,
}

impl Bench {
    async fn new(t: &TestDb) -> Self {
        let (clock, hand) = Clock::manual(t.clock.now());
        let (accounts, setup, settings) = open(t, &clock).await;
        let setup = setup.expect("nobody is there yet");
        accounts
            .set_up(&setup, "ada", PASSWORD)
            .await
            .expect("sets up");
        Self {
            accounts,
            settings,
            hand,
            clock,
        }
    }

    async fn log_in(&self, username: &str, password: &str) -> Result<Begun, Error> {
        self.accounts.log_in(login(username, password)).await
    }

    async fn begin(&self, username: &str) -> Begun {
        self.log_in(username, PASSWORD).await.expect("logs in")
    }

    async fn viewer(&self, username: &str) {
        let account = (username, PASSWORD, Role::Viewer);
        self.accounts.create(account, "ada").await.expect("creates");
    }

    /// Who a session is, if it is one.
    async fn who(&self, begun: &Begun) -> Option<Caller> {
        let found = self.accounts.of_session(begun.secret.expose()).await;
        found.expect("asks the store")
    }
}

async fn open(t: &TestDb, clock: &Clock) -> (Accounts, Option<String>, Settings) {
    let settings = Settings::open(&t.db, &t.clock, &t.mint)
        .await
        .expect("opens");
    let parts = Parts {
        db: t.db.clone(),
        clock: clock.clone(),
        mint: t.mint.clone(),
        settings: settings.clone(),
    };
    let (accounts, setup) = Accounts::open(parts).await.expect("opens");
    (accounts, setup.map(|it| it.expose().to_owned()), settings)
}

fn login<'a>(username: &'a str, password: &'a str) -> Login<'a> {
    Login {
        username,
        password,
        remote: Some(IpAddr::from(Ipv4Addr::LOCALHOST)),
        replaces: None,
    }
}

on_both_databases! {
    async fn the_setup_token_makes_one_admin_and_is_another_at_each_start(t: TestDb) {
        let (_, first, _) = open(&t, &t.clock).await;
        let (accounts, second, _) = open(&t, &t.clock).await;
        let (first, second) = (first.expect("a token"), second.expect("a token"));
        assert!(accounts.is_setup_required().await);
        for wrong in [first.as_str(), "", "00", &"0".repeat(64)] {
            let error = accounts.set_up(wrong, "ada", PASSWORD).await.expect_err("refused");
            assert!(matches!(error, Error::SetupToken), "{error}");
        }
        let error = accounts.set_up(&second, "ada", "short").await.expect_err("refused");
        assert!(matches!(error, Error::Password), "{error}");
        accounts.set_up(&second, "ada", PASSWORD).await.expect("a refusal used nothing up");
        assert!(!accounts.is_setup_required().await);
        let again = accounts.set_up(&second, "eve", PASSWORD).await.expect_err("once only");
        assert!(matches!(again, Error::AlreadySetUp), "{again}");
        assert!(open(&t, &t.clock).await.1.is_none(), "no token once there is an admin");
    }

    async fn a_viewer_made_the_first_admin_ends_the_setup(t: TestDb) {
        let (accounts, token, _) = open(&t, &t.clock).await;
        let viewer = ("vic", PASSWORD, Role::Viewer);
        accounts.create(viewer, "local").await.expect("creates");
        let password = (None, Some("another horse battery"));
        accounts.change("vic", password, "local").await.expect("changes");
        assert!(accounts.is_setup_required().await, "nobody is an admin yet");
        accounts.change("vic", (Some(Role::Admin), None), "local").await.expect("changes");
        assert!(!accounts.is_setup_required().await);
        let late = accounts.set_up(&token.expect("a token"), "eve", PASSWORD).await;
        assert!(matches!(late, Err(Error::AlreadySetUp)), "{late:?}");
    }

    async fn two_setups_at_once_make_one_admin(t: TestDb) {
        let (accounts, token, _) = open(&t, &t.clock).await;
        let token = token.expect("a token");
        let (a, b) = tokio::join!(
            accounts.set_up(&token, "ada", PASSWORD),
            accounts.set_up(&token, "bob", PASSWORD),
        );
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        assert_eq!(accounts.list().await.expect("lists").len(), 1);
    }

    async fn a_wrong_name_and_a_wrong_password_are_refused_alike(t: TestDb) {
        let bench = Bench::new(&t).await;
        let long = "x".repeat(100_000);
        let mut told = Vec::new();
        for (name, password) in [
            ("ada", "wrong horse battery"),
            ("nobody", PASSWORD),
            ("", ""),
            ("ada", &long),
            (&long, PASSWORD),
        ] {
            let error = bench.log_in(name, password).await.expect_err("refused");
            assert!(matches!(error, Error::Login), "{error}");
            told.push(error.to_string());
        }
        told.dedup();
        assert_eq!(told.len(), 1, "{told:?}");
        bench.begin("ada").await;
        let counts = bench.accounts.counts();
        assert_eq!((counts.logins, counts.failed, counts.limited), (1, 5, 0));
        let trail = audit::list(&t.db, 10, None).await.expect("lists").entries;
        let actions: Vec<_> = trail.iter().map(|it| it.action.as_str()).collect();
        assert_eq!(actions, ["session.begin", "account.create"], "failures are only counted");
    }

    async fn too_many_wrong_tries_close_the_account_for_a_while_even_for_the_right_one(t: TestDb) {
        let bench = Bench::new(&t).await;
        for _ in 0..10 {
            bench.log_in("ada", "wrong horse battery").await.expect_err("wrong");
        }
        let error = bench.log_in("ada", PASSWORD).await.expect_err("limited");
        let Error::TooManyTries(wait) = error else { panic!("{error}") };
        bench.hand.advance(wait);
        bench.begin("ada").await;
        assert_eq!(bench.accounts.counts().limited, 1);
        let session = bench.begin("ada").await;
        let change = (PASSWORD, "another horse battery");
        for _ in 0..10 {
            let wrong = ("guessed horse battery", "another horse battery");
            let tried = bench.accounts.change_own_password(&session.caller, wrong, None).await;
            tried.expect_err("wrong");
        }
        let limited = bench.accounts.change_own_password(&session.caller, change, None).await;
        assert!(matches!(limited, Err(Error::TooManyTries(_))), "a stolen session guesses no more");
    }

    async fn a_session_ends_by_age_and_by_idleness_as_the_settings_say_now(t: TestDb) {
        let bench = Bench::new(&t).await;
        let hour = Duration::from_secs(3_600);
        let idle = bench.begin("ada").await;
        bench.hand.advance(2 * hour);
        assert_eq!(bench.who(&idle).await, None, "two hours unused");

        let used = bench.begin("ada").await;
        for _ in 0..11 {
            bench.hand.advance(hour);
            assert!(bench.who(&used).await.is_some(), "used each hour");
        }
        let before = bench.who(&used).await.expect("lives").expires_at().expect("a session");
        assert_eq!(before.since(bench.clock.now()), hour);
        bench.hand.advance(hour);
        assert_eq!(bench.who(&used).await, None, "twelve hours old");

        let short = bench.begin("ada").await;
        bench.settings.set("console.session_ttl_ms", "60000", "ada").await.expect("sets");
        bench.hand.advance(Duration::from_secs(59));
        assert!(bench.who(&short).await.is_some());
        bench.hand.advance(Duration::from_secs(1));
        assert_eq!(bench.who(&short).await, None, "the setting counts for logins before it, too");
    }

    async fn a_login_gives_a_new_session_and_ends_the_one_the_browser_had(t: TestDb) {
        let bench = Bench::new(&t).await;
        let planted = bench.begin("ada").await;
        let other = bench.begin("ada").await;
        let login = Login { replaces: Some(&planted.secret), ..login("ada", PASSWORD) };
        let new = bench.accounts.log_in(login).await.expect("logs in");
        assert_ne!(new.secret, planted.secret);
        assert_eq!(bench.who(&planted).await, None);
        assert!(bench.who(&new).await.is_some() && bench.who(&other).await.is_some());
        bench.accounts.log_out(&new.caller).await.expect("logs out");
        assert_eq!(bench.who(&new).await, None);
        assert!(bench.who(&other).await.is_some(), "of another browser");
    }

    async fn sessions_outlive_a_restart_and_only_their_digests_are_stored(t: TestDb) {
        let bench = Bench::new(&t).await;
        let begun = bench.begin("ada").await;
        let (again, _, _) = open(&t, &bench.clock).await;
        let found = again.of_session(begun.secret.expose()).await.expect("asks");
        assert_eq!(found, Some(begun.caller.clone()), "with the same CSRF token");
        let stored = begun.secret.digest();
        let hex: String = stored.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(again.of_session(&hex).await.expect("asks"), None, "a digest opens nothing");
    }

    async fn an_account_keeps_its_newest_sessions(t: TestDb) {
        let bench = Bench::new(&t).await;
        let first = bench.begin("ada").await;
        for _ in 0..32 {
            bench.hand.advance(Duration::from_millis(1));
            bench.begin("ada").await;
        }
        assert_eq!(bench.who(&first).await, None);
    }

    async fn another_password_role_or_no_account_ends_sessions(t: TestDb) {
        let bench = Bench::new(&t).await;
        bench.viewer("vic").await;
        let (own, other) = (bench.begin("vic").await, bench.begin("vic").await);
        let admin = bench.begin("ada").await;
        let change = (PASSWORD, "another horse battery");
        let changed = bench.accounts.change_own_password(&own.caller, change, None).await;
        changed.expect("changes");
        assert!(bench.who(&own).await.is_some(), "the one that did it stays");
        assert_eq!(bench.who(&other).await, None);
        bench.log_in("vic", PASSWORD).await.expect_err("the old password");

        let role = (Some(Role::Admin), None);
        bench.accounts.change("vic", role, "ada").await.expect("changes");
        assert_eq!(bench.who(&own).await, None, "begun with another role");
        let begun = bench.log_in("vic", "another horse battery").await.expect("logs in");
        assert_eq!(begun.caller.role, Role::Admin);

        let password = (None, Some(PASSWORD));
        bench.accounts.change("vic", password, "ada").await.expect("changes");
        assert_eq!(bench.who(&begun).await, None);
        let begun = bench.begin("vic").await;
        bench.accounts.delete("vic", "ada").await.expect("deletes");
        assert_eq!(bench.who(&begun).await, None);
        bench.log_in("vic", PASSWORD).await.expect_err("is gone");
        assert!(bench.who(&admin).await.is_some(), "nobody else noticed");
    }

    async fn the_last_admin_stays_one(t: TestDb) {
        let bench = Bench::new(&t).await;
        bench.viewer("vic").await;
        let demote = (Some(Role::Viewer), None);
        for outcome in [
            bench.accounts.delete("ada", "ada").await,
            bench.accounts.change("ada", demote, "ada").await.map(|_| ()),
        ] {
            assert!(matches!(outcome, Err(Error::LastAdmin(_))), "{outcome:?}");
        }
        let session = bench.begin("ada").await;
        assert!(session.caller.is_admin());
        let promote = (Some(Role::Admin), None);
        bench.accounts.change("vic", promote, "ada").await.expect("promotes");
        let (a, b) = tokio::join!(
            bench.accounts.change("ada", demote, "vic"),
            bench.accounts.delete("vic", "ada"),
        );
        assert!(a.is_ok() != b.is_ok(), "{:?} {b:?}", a.map(|_| ()));
    }

    async fn names_and_passwords_keep_to_the_rules(t: TestDb) {
        let bench = Bench::new(&t).await;
        let long = "a".repeat(65);
        for name in ["", "Ada", "a b", "local", "ä", "a/b", "token:x", &long] {
            let account = (name, PASSWORD, Role::Viewer);
            let error = bench.accounts.create(account, "ada").await.err();
            assert!(matches!(error, Some(Error::Name(_))), "{name}: {error:?}");
            let error = bench.accounts.create_token((name, Role::Viewer), None, "ada").await;
            assert!(matches!(error.err(), Some(Error::Name(_))), "{name}");
        }
        for (password, fine) in [("x".repeat(11), false), ("ä".repeat(12), true),
            ("x".repeat(256), true), ("x".repeat(257), false)] {
            let name = format!("n{}", password.chars().count());
            let made = bench.accounts.create((&name, &password, Role::Viewer), "ada").await;
            assert_eq!(made.is_ok(), fine, "{name}");
        }
        let taken = bench.accounts.create(("ada", PASSWORD, Role::Viewer), "ada").await;
        assert!(matches!(taken.err(), Some(Error::NameTaken(_))));
        assert!(bench.begin("ada").await.caller.is_admin(), "and is who it was");
    }

    async fn a_token_works_until_it_is_over_or_revoked(t: TestDb) {
        let bench = Bench::new(&t).await;
        let accounts = &bench.accounts;
        let made = accounts.create_token(("ci", Role::Viewer), Some(60_000), "ada").await;
        let made = made.expect("creates");
        let caller = accounts.of_token(&made.text).await.expect("asks").expect("is known");
        assert_eq!((caller.name.as_str(), caller.role, caller.via), ("token:ci", Role::Viewer, Via::Token));
        assert_eq!(caller.csrf_token(), None);
        let listed = accounts.tokens().await.expect("lists").remove(0);
        assert_eq!(listed.last_used_at, Some(bench.clock.now()));
        assert_eq!(listed.created_by, "ada");
        let twice = accounts.create_token(("ci", Role::Admin), None, "ada").await;
        assert!(matches!(twice.err(), Some(Error::NameTaken(_))));

        let other = accounts.create_token(("deploy", Role::Admin), None, "ada").await;
        let other = other.expect("creates");
        let secret = other.text.rsplit_once('_').expect("three parts").1;
        let mixed = format!("brt_{}_{secret}", made.id);
        assert_eq!(accounts.of_token(&mixed).await.expect("asks"), None, "of another token");

        bench.hand.advance(Duration::from_secs(60));
        assert_eq!(accounts.of_token(&made.text).await.expect("asks"), None, "over");
        bench.hand.advance(Duration::from_secs(365 * 24 * 3_600));
        assert!(accounts.of_token(&other.text).await.expect("asks").is_some(), "never over");
        accounts.revoke_token(&other.id, "ada").await.expect("revokes");
        assert_eq!(accounts.of_token(&other.text).await.expect("asks"), None, "revoked");
        let twice = accounts.revoke_token(&other.id, "ada").await;
        assert!(matches!(twice, Err(Error::NoToken(_))));
    }

    async fn whoever_waits_learns_at_once_that_a_session_or_token_has_ended(t: TestDb) {
        let bench = Bench::new(&t).await;
        let accounts = &bench.accounts;
        let begun = bench.begin("ada").await;
        let made = accounts.create_token(("ci", Role::Admin), None, "ada").await.expect("creates");
        let token = accounts.of_token(&made.text).await.expect("asks").expect("is known");
        let watch = |caller: &Caller| {
            let (accounts, caller) = (accounts.clone(), caller.clone());
            tokio::spawn(async move { accounts.ended(&caller).await })
        };
        let (session_ended, token_ended) = (watch(&begun.caller), watch(&token));
        let local = watch(&Caller::local());
        accounts.log_out(&begun.caller).await.expect("logs out");
        session_ended.await.expect("learns");
        assert!(!token_ended.is_finished());
        accounts.revoke_token(&made.id, "ada").await.expect("revokes");
        token_ended.await.expect("learns");

        // By age: nobody says so, the clock does. Its wait begins at some moment of the loop.
        let begun = bench.begin("ada").await;
        let by_age = watch(&begun.caller);
        while !by_age.is_finished() {
            bench.hand.advance(Duration::from_secs(600));
            tokio::task::yield_now().await;
        }
        by_age.await.expect("learns");
        assert!(!local.is_finished(), "the socket is the operator's for good");
        local.abort();
    }

    async fn accounts_and_tokens_are_bounded(t: TestDb) {
        let bench = Bench::new(&t).await;
        t.db.write::<(), DbError, _>(Store::Ledger, "fill", |conn| {
            Box::pin(async move {
                for number in 1..ENTRIES_MAX {
                    let account = super::model::Account {
                        username: format!("n{number:04}"),
                        role: Role::Viewer,
                        password_hash: "none".to_owned(),
                        created_at: contract::clock::Timestamp::EPOCH,
                        last_login_at: None,
                    };
                    super::store::insert_account(conn, &account).await?;
                }
                Ok(())
            })
        })
        .await
        .expect("fills");
        let more = bench.accounts.create(("more", PASSWORD, Role::Viewer), "ada").await;
        assert!(matches!(more.err(), Some(Error::TooMany("accounts"))));
        bench.accounts.delete("n0001", "ada").await.expect("deletes");
        bench.viewer("more").await;
    }
}

#[tokio::test]
async fn a_name_that_nobody_has_costs_what_one_costs_that_somebody_has() {
    let check = crate::identity::SecretCheck::new();
    let hash = check.hash(b"a password".to_vec()).await.expect("hashes");
    let cost = |text: &str| {
        text.split('$')
            .take(4)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        cost(&hash),
        cost(super::sessions::NOBODYS),
        "same algorithm and parameters"
    );
    let tried = check
        .verify(b"a password".to_vec(), super::sessions::NOBODYS.to_owned())
        .await;
    assert_eq!(tried, Ok(false));
    // It is read as a hash at all, or the work would be skipped.
    let parsed = argon2::PasswordHash::new(super::sessions::NOBODYS).expect("a hash");
    let parts =
        |it: &argon2::PasswordHash<'_>| (it.hash.map(|it| it.len()), it.salt.map(|it| it.len()));
    let real = argon2::PasswordHash::new(&hash).expect("a hash");
    assert_eq!(parts(&parsed), parts(&real));
}

//! A binary and a store of different ages.
//!
//! There is one binary here, so the newer one is played by its mark in the store: a migration that
//! this binary does not know, with a table it does not know either.

use std::str::FromStr as _;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::harness::{World, on_both_databases};

/// What a binary `ahead` migrations newer would leave in the ledger.
async fn migrate_like_a_newer_binary(world: &World, names: &[String]) {
    let statements = |name: &String| {
        let table = format!("CREATE TABLE later_{} (id BIGINT)", fastrand::u32(..));
        let mark = format!(
            "INSERT INTO schema_migrations (store, name, checksum, applied_at_us)
             VALUES ('ledger', '{name}', 'of another text', 0)"
        );
        [table, mark]
    };
    for statement in names.iter().flat_map(statements) {
        let statement = sqlx::AssertSqlSafe(statement);
        match world.database_url() {
            Some(url) => {
                let options = PgConnectOptions::from_str(&url).expect("an address");
                let mut conn = options.connect().await.expect("connects");
                sqlx::raw_sql(statement)
                    .execute(&mut conn)
                    .await
                    .expect("runs");
            }
            None => {
                let options = SqliteConnectOptions::new().filename(world.data().join("ledger.db"));
                let mut conn = options.connect().await.expect("opens");
                sqlx::raw_sql(statement)
                    .execute(&mut conn)
                    .await
                    .expect("runs");
            }
        }
    }
}

/// The number of the newest migration of the ledger that this binary knows.
async fn newest(world: &World) -> u32 {
    let output = world
        .command_line(&["backup", "--to", "-", "--without-telemetry"])
        .await;
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, rest) = text
        .split_once("\"ledger\":\"")
        .expect("the header names it");
    rest.get(..4)
        .and_then(|it| it.parse().ok())
        .expect("a number")
}

async fn refusal(world: &mut World) -> String {
    let runtime = world.serve(&world.data());
    let mut runtime = runtime;
    let run = tokio::task::spawn_blocking(move || runtime.output());
    let output = run.await.expect("no panic").expect("runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).expect("text")
}

on_both_databases! {
    async fn the_binary_before_works_on_what_a_newer_one_migrated_by_one_step(world: World) {
        let newest = newest(&world).await;
        world.key("before").await;
        world.runtime().kill();
        let next = format!("{:04}_later", newest + 1);
        migrate_like_a_newer_binary(&world, &[next]).await;
        world.restart().await;
        world.key("after").await;
        let desk = world.desk("desk").await;
        assert_eq!(world.instances("desk").await.len(), 1);
        drop(desk);
        // What it cannot know all of it does not copy.
        let output = world.command_line(&["backup", "--to", "-"]).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("standard output is incomplete"), "{said}");
        assert!(said.contains("newer bridge binary"), "{said}");
        let file = world.scratch().join("partial");
        std::fs::write(&file, output.stdout).expect("writes");
        let output = world.command_line(&["backup", "verify", file.to_str().expect("a path")]).await;
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(said.contains("newer bridge binary"), "{said}");

        world.runtime().kill();
        let after_next = format!("{:04}_even_later", newest + 2);
        migrate_like_a_newer_binary(&world, std::slice::from_ref(&after_next)).await;
        let said = refusal(&mut world).await;
        assert!(said.contains(&after_next) && said.contains("run the newer"), "{said}");
    }

    async fn a_migration_that_breaks_older_binaries_keeps_them_out(world: World) {
        let newest = newest(&world).await;
        world.runtime().kill();
        let next = format!("{:04}_later_breaks", newest + 1);
        migrate_like_a_newer_binary(&world, std::slice::from_ref(&next)).await;
        let said = refusal(&mut world).await;
        assert!(said.contains(&next) && said.contains("restore a backup"), "{said}");
    }
}

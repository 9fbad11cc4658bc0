//! A backup under way: who takes its pieces, who stops taking them, and what the last one says.

use std::path::Path;

use contract::clock::Clock;
use tempfile::TempDir;
use tokio_stream::StreamExt as _;

use super::{fill, small, take_to};
use crate::backup::{BackupError, Ending, Wanted, take, verify};
use crate::db::testing::{on_both_databases, on_sqlite};
use crate::db::{DbError, Store};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_nobody_reads_to_the_end_does_not_verify_and_holds_nothing_up() {
    on_sqlite(|t| async move {
        fill(&t, 3_000).await;
        let wanted = Wanted {
            telemetry: true,
            authority: None,
        };
        let mut taking = take(&t.db, &t.clock, wanted).await.expect("begins");
        let first = taking.pieces.next().await.expect("a piece");
        let first = first.expect("is taken");
        drop(taking);
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("part");
        std::fs::write(&path, first).expect("writes");
        assert!(verify(&path).is_err());
        take_to(&t.db, folder.path(), "whole", true).await;
        verify(&folder.path().join("whole")).expect("another one is whole");
    })
    .await;
}

#[tokio::test]
async fn pieces_that_nobody_takes_for_a_minute_end_in_an_error() {
    on_sqlite(|t| async move {
        fill(&t, 3_000).await;
        let (clock, hand) = Clock::manual(t.clock.now());
        let wanted = Wanted {
            telemetry: true,
            authority: None,
        };
        let mut taking = take(&t.db, &clock, wanted).await.expect("begins");
        while hand.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        hand.advance(std::time::Duration::from_secs(60));
        // There is one thread: whoever was woken has its turn before this goes on.
        tokio::task::yield_now().await;
        let (mut pieces, mut ending) = (0, Ending::default());
        let error = loop {
            match taking.pieces.next().await.expect("no end before the error") {
                Ok(piece) => ending.follow(&piece),
                Err(error) => break error,
            }
            pieces += 1;
        };
        assert!(matches!(error, BackupError::NotEnded), "{error}");
        assert!(pieces > 0 && taking.pieces.next().await.is_none());
        let text = ending.check(Path::new("it")).expect_err("is not whole");
        assert!(text.to_string().contains("it is incomplete"), "{text}");
    })
    .await;
}

on_both_databases! {
    async fn a_store_that_fails_in_the_middle_ends_the_pieces_in_an_error_and_the_file_says_why(t: TestDb) {
        let done = t.db.write::<(), DbError, _>(Store::Ledger, "write a mark", |conn| {
            Box::pin(async move {
                crate::db::on_conn!(conn, "write a mark", c => {
                    sqlx::query("INSERT INTO schema_migrations (store, name, checksum, applied_at_us) VALUES ('ledger', '0999_later', '', 0)")
                        .execute(c)
                        .await
                        .map(|_| ())
                })
            })
        });
        done.await.expect("writes");
        let wanted = Wanted { telemetry: true, authority: None };
        let mut taking = take(&t.db, &t.clock, wanted).await.expect("begins");
        let mut ending = Ending::default();
        let error = loop {
            match taking.pieces.next().await.expect("no end before the error") {
                Ok(piece) => ending.follow(&piece),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, BackupError::NotEnded), "{error}");
        let text = ending.check(Path::new("it")).expect_err("is not whole").to_string();
        assert!(text.contains("gave up") && text.contains("newer bridge binary"), "{text}");
    }
}

#[tokio::test]
async fn whoever_follows_a_backup_knows_whether_the_last_frame_was_its_end() {
    on_sqlite(|t| async move {
        let folder = TempDir::new().expect("a folder");
        let whole = std::fs::read(small(&t, folder.path()).await).expect("reads");
        let followed = |bytes: &[u8], step: usize| {
            let mut ending = Ending::default();
            for piece in bytes.chunks(step) {
                ending.follow(piece);
            }
            ending.check(Path::new("it"))
        };
        for step in [1, 2, 7, 1_000, whole.len()] {
            followed(&whole, step).expect("is whole");
        }
        for end in 0..whole.len() {
            let error = followed(&whole[..end], 1_000).expect_err("is cut off");
            assert!(
                matches!(error, BackupError::CutOff { .. }),
                "{end}: {error}"
            );
        }
        let mut longer = whole.clone();
        longer.push(b'R');
        let error = followed(&longer, 1_000).expect_err("goes on");
        assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    })
    .await;
}

//! What is damaged, newer or in the way is refused and named, and nothing is left behind.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::{into, restore, small};
use crate::backup::archive::{FrameKind, Writer};
use crate::backup::manifest::Header;
use crate::backup::{Authority, BackupError, MARK_FILE, Restoring, is_unfinished, verify};
use crate::db::testing::on_sqlite;

#[tokio::test]
async fn every_cut_and_every_changed_byte_is_found_and_named() {
    on_sqlite(|t| async move {
        let folder = TempDir::new().expect("a folder");
        let whole = std::fs::read(small(&t, folder.path()).await).expect("reads");
        let path = folder.path().join("changed");
        let error = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("writes");
            verify(&path).expect_err("is not whole").to_string()
        };
        for end in 0..whole.len() {
            let text = error(&whole[..end]);
            assert!(text.contains("changed"), "{end}: {text}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            let text = error(&bytes);
            assert!(text.contains("changed"), "{at}: {text}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(error(&longer).contains("damaged in its end"));
        let row = whole
            .windows(7)
            .position(|it| it == b"row.add")
            .expect("is there");
        let mut bytes = whole.clone();
        bytes[row] ^= 1;
        let (changed, cut) = (error(&bytes), error(&whole[..row]));
        assert!(
            changed.contains("damaged in `audit` of ledger"),
            "{changed}"
        );
        assert!(cut.contains("ends inside `audit` of ledger"), "{cut}");
        assert!(error(b"some other file, longer than a line").contains("is no backup"));
        assert!(error(b"bridge backup 2\nand something").contains("format 2"));
    })
    .await;
}

#[tokio::test]
async fn a_backup_of_a_newer_binary_is_refused_with_both_versions() {
    on_sqlite(|t| async move {
        let folder = TempDir::new().expect("a folder");
        let mut backup = verify(&small(&t, folder.path()).await).expect("is whole");
        backup
            .header
            .schemas
            .insert("ledger".to_owned(), "0999_future".to_owned());
        let to = into(folder.path().join("data"), None);
        let error = to
            .run(&backup, |_| {})
            .await
            .expect_err("refused")
            .to_string();
        assert!(
            error.contains("`0999_future`") && error.contains("newest this binary"),
            "{error}"
        );
        assert!(to.data.read_dir().expect("reads").next().is_none(), "wiped");
    })
    .await;
}

#[tokio::test]
async fn what_the_runtime_gave_up_says_why() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("given up");
    let (mut writer, mut bytes) = Writer::begin();
    let header = Header {
        bridge: String::new(),
        taken_at_unix_ms: 0,
        database: String::new(),
        schemas: BTreeMap::new(),
        telemetry: true,
        authority: Authority::External,
    };
    let header = serde_json::to_vec(&header).expect("is JSON");
    bytes.extend(writer.frame(FrameKind::Header, &header));
    bytes.extend(writer.frame(FrameKind::GivenUp, b"the disk is on fire"));
    std::fs::write(&path, bytes).expect("writes");
    let error = verify(&path).expect_err("was given up").to_string();
    assert!(error.contains("the disk is on fire"), "{error}");
}

#[tokio::test]
async fn a_restore_takes_an_empty_folder_or_nothing_and_leaves_nothing_when_it_fails() {
    on_sqlite(|t| async move {
        let folder = TempDir::new().expect("a folder");
        let backup = verify(&small(&t, folder.path()).await).expect("is whole");
        let text = async |to: &Restoring| {
            let error = to.run(&backup, |_| {}).await.expect_err("refused");
            (error.to_string(), matches!(error, BackupError::Store(_)))
        };
        let full = folder.path().join("full");
        std::fs::create_dir(&full).expect("makes");
        std::fs::write(full.join("precious"), "").expect("writes");
        assert!(
            text(&into(full.clone(), None))
                .await
                .0
                .contains("not empty (precious)")
        );
        assert!(full.join("precious").exists() && !is_unfinished(&full));

        let data = folder.path().join("data");
        let nowhere = Some("postgres://user:s3cret@127.0.0.1:1/nowhere".to_owned());
        let (error, of_store) = text(&into(data.clone(), nowhere)).await;
        assert!(of_store && !error.contains("s3cret"), "{error}");
        assert!(data.read_dir().expect("reads").next().is_none(), "wiped");

        std::fs::write(data.join(MARK_FILE), "").expect("writes");
        assert!(
            text(&into(data.clone(), None))
                .await
                .0
                .contains("did not finish")
        );
        std::fs::remove_file(data.join(MARK_FILE)).expect("removes");
        restore(&backup, &into(data.clone(), None))
            .await
            .close()
            .await;
        assert!(text(&into(data, None)).await.0.contains("not empty"));
    })
    .await;
}

#[tokio::test]
async fn a_file_that_changed_after_it_was_verified_is_not_restored() {
    on_sqlite(|t| async move {
        let folder = TempDir::new().expect("a folder");
        let path = small(&t, folder.path()).await;
        let backup = verify(&path).expect("is whole");
        let mut bytes = std::fs::read(&path).expect("reads");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).expect("writes");
        let to = into(folder.path().join("data"), None);
        let error = to.run(&backup, |_| {}).await.expect_err("refused");
        assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
        assert!(to.data.read_dir().expect("reads").next().is_none(), "wiped");
    })
    .await;
}

#[tokio::test]
async fn a_restore_that_fails_leaves_what_the_file_system_has_put_there() {
    on_sqlite(|t| async move {
        let folder = TempDir::new().expect("a folder");
        let backup = verify(&small(&t, folder.path()).await).expect("is whole");
        let data = folder.path().join("data");
        let kept = data.join("lost+found").join("#12");
        std::fs::create_dir_all(kept.parent().expect("a folder")).expect("makes");
        std::fs::write(&kept, "").expect("writes");
        let nowhere = Some("postgres://user@127.0.0.1:1/nowhere".to_owned());
        let to = into(data.clone(), nowhere);
        to.run(&backup, |_| {}).await.expect_err("nobody is there");
        assert!(kept.exists() && !is_unfinished(&data));
        assert_eq!(data.read_dir().expect("reads").count(), 1);
    })
    .await;
}

//! Stores that cannot be used: one line that names the file and the remedy, and nothing is made worse.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use redb::TableDefinition;
use waddleperf::failure::Failure;
use waddleperf::store::{Access, Answer, Data, Filter, Query, Settings};

use super::{data, list, plain, store};

/// A store with 200 records.
fn filled(data: &Data) {
    let records: Vec<_> = (0..200).map(plain).collect();
    store(data).commit(&records, &[]).expect("kept");
}

fn refusal(data: &Data) -> Failure {
    match Access::open(data, &Settings::default()) {
        Ok(_) => panic!("it opened"),
        Err(failure) => failure,
    }
}

#[track_caller]
fn assert_names(failure: &Failure, path: &Path, remedy: &str) {
    assert_eq!(failure.class.exit_code(), 3, "{failure}");
    assert!(failure.detail.contains(&path.display().to_string()), "{failure}");
    assert!(failure.detail.contains(remedy), "no `{remedy}` in: {failure}");
    assert!(!failure.detail.contains('\n'), "{failure}");
}

/// A way to spoil a file.
type Spoil = fn(Vec<u8>) -> Vec<u8>;

#[test]
fn a_file_that_is_no_store_is_named_with_the_remedy_and_left_alone() {
    let ways: [(&str, Spoil); 5] = [
        ("text", |_| b"this is not a store\n".to_vec()),
        ("empty", |_| Vec::new()),
        ("zeros", |whole| vec![0; whole.len()]),
        ("its head lost", |mut whole| {
            whole[..4096].fill(0xa5);
            whole
        }),
        ("its tail lost", |mut whole| {
            whole.truncate(whole.len() / 8);
            whole
        }),
    ];
    for (what, spoil) in ways {
        let (_dir, data) = data();
        filled(&data);
        let spoilt = spoil(fs::read(data.store()).expect("the file"));
        fs::write(data.store(), &spoilt).expect("spoilt");
        let failure = refusal(&data);
        assert_names(&failure, &data.store(), "move it away");
        assert!(fs::read(data.store()).expect("the file") == spoilt, "{what}: it was written to");
        // The remedy works.
        fs::rename(data.store(), data.path().join("aside")).expect("moved away");
        filled(&data);
    }
}

#[test]
fn spoilt_pages_never_panic_and_are_found() {
    let (_dir, data) = data();
    filled(&data);
    let whole = fs::read(data.store()).expect("the file");
    let (mut random, mut found) = (1u64, 0);
    for _ in 0..60 {
        let mut spoilt = whole.clone();
        for _ in 0..200 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (random >> 20) as usize % spoilt.len();
            spoilt[at] ^= 0x55;
        }
        fs::write(data.store(), &spoilt).expect("spoilt");
        let Ok(access) = Access::open(&data, &Settings::default()) else {
            found += 1;
            continue;
        };
        let well = matches!(access.ask(&Query::Verify), Ok(Answer::Verify(verified)) if verified.wrong == 0);
        found += u32::from(!well);
    }
    assert!(found > 30, "only {found} of 60 spoilt stores were found to be so");
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let (_dir, data) = data();
    filled(&data);
    let meta: TableDefinition<&str, u64> = TableDefinition::new("meta");
    let db = redb::Database::open(data.store()).expect("a redb file");
    let write = db.begin_write().expect("a transaction");
    write.open_table(meta).expect("a table").insert("format", 2).expect("a row");
    write.commit().expect("durable");
    drop(db);
    let failure = refusal(&data);
    assert_names(&failure, &data.store(), "written by a newer waddleperf; use that version");
    let db = redb::Database::open(data.store()).expect("a redb file");
    let read = redb::ReadableDatabase::begin_read(&db).expect("a transaction");
    assert_eq!(read.open_table(meta).expect("a table").get("format").expect("a row").expect("2").value(), 2);
}

#[test]
fn a_store_of_the_first_format_is_read() {
    let (_dir, data) = data();
    data.make().expect("a directory");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/format-1.redb");
    fs::copy(golden, data.store()).expect("a copy");
    let store = store(&data);
    assert_eq!(store.count(), Ok(9));
    let verified = store.verify().expect("a check");
    assert_eq!((verified.records, verified.wrong), (9, 0), "{verified:?}");
    let Ok(Answer::List(page)) = store.ask(&list(Filter::default())) else { panic!("another answer") };
    assert_eq!((page.records.len(), page.unreadable), (9, 0));
}

#[test]
fn somebody_elses_redb_file_is_not_taken_for_ours() {
    let (_dir, data) = data();
    data.make().expect("a directory");
    drop(redb::Database::create(data.store()).expect("a redb file"));
    assert_names(&refusal(&data), &data.store(), "not one of waddleperf's; move it away");
}

#[test]
fn what_others_may_write_to_is_refused() {
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("opened up");
    let (_dir, data) = data();
    filled(&data);
    open(&data.spool());
    assert_names(&refusal(&data), &data.spool(), "chmod 700");
    fs::set_permissions(data.spool(), fs::Permissions::from_mode(0o700)).expect("closed");
    open(data.path());
    assert_names(&refusal(&data), data.path(), "chmod 700");
}

#[test]
fn what_is_no_directory_or_no_file_is_named() {
    let (dir, data) = data();
    fs::write(data.path(), "a file").expect("written");
    assert_names(&refusal(&data), data.path(), "not a directory");
    let other = Data::at(dir.path().join("other"));
    other.make().expect("a directory");
    fs::create_dir(other.store()).expect("a directory in its place");
    assert_names(&refusal(&other), &other.store(), "not a regular file");
    let linked = Data::at(dir.path().join("linked"));
    linked.make().expect("a directory");
    std::os::unix::fs::symlink("/etc/passwd", linked.store()).expect("a link in its place");
    assert_names(&refusal(&linked), &linked.store(), "not a regular file");
}

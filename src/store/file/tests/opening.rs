//! A file that cannot be the store is refused with the reason: never taken for a new one, which would have forgotten every end.

use proptest::prelude::*;

use super::*;

fn refused(world: &World) -> String {
    world.try_open(&[7], NOW).unwrap_err().to_string()
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owners_alone_and_a_wider_one_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    drop(world.open(NOW));
    let mode = || std::fs::metadata(world.path()).unwrap().permissions().mode();
    assert_eq!(mode() & 0o777, 0o600);
    for wider in [0o640, 0o604, 0o620] {
        std::fs::set_permissions(world.path(), std::fs::Permissions::from_mode(wider)).unwrap();
        assert!(refused(&world).contains("chmod 600"), "{wider:o}");
    }
    std::fs::set_permissions(world.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    drop(world.open(NOW));
}

#[tokio::test]
async fn one_process_at_a_time_has_it() {
    let world = World::new();
    let first = world.open(NOW);
    assert_eq!(refused(&world), "another process has it open");
    drop(first);
    drop(world.open(NOW));
}

#[tokio::test]
async fn what_is_no_store_is_refused_and_stays_as_it_is() {
    let world = World::new();
    let private = |bytes: &[u8]| {
        drop(world.try_open(&[7], NOW));
        std::fs::write(world.path(), bytes).unwrap();
    };
    private(b"");
    assert!(refused(&world).contains("it is empty"));
    for foreign in [&b"SQLite format 3\0"[..], &[0; 4096], &vec![0xff; 100_000]] {
        private(foreign);
        let _why = refused(&world);
        assert_eq!(std::fs::read(world.path()).unwrap(), foreign);
    }
    // A database of somebody else.
    std::fs::remove_file(world.path()).unwrap();
    let table = redb::TableDefinition::<u64, u64>::new("theirs");
    let theirs = redb::Database::create(world.path()).unwrap();
    let change = theirs.begin_write().unwrap();
    change.open_table(table).unwrap().insert(1, 1).unwrap();
    change.commit().unwrap();
    drop(theirs);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(world.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(refused(&world), "it is a database of something else");
    // And one in a folder that is none.
    let nowhere = world.folder.path().join("state.redb").join("state.redb");
    assert!(open(&nowhere, &[7], NOW).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// A byte of it changed, or its end cut off: the end is still there, or the file is refused. Never a panic.
    #[test]
    fn a_damaged_file_never_forgets_an_end(at_byte in 0.0..1.0_f64, bits in 1..=255_u8, cut in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            end(&world.open(NOW), session(1)).await;
            let mut bytes = std::fs::read(world.path()).unwrap();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a file")]
            let place = (bytes.len() as f64 * at_byte) as usize;
            if cut {
                bytes.truncate(place);
            } else {
                bytes[place] ^= bits;
            }
            std::fs::write(world.path(), bytes).unwrap();
            if let Ok(store) = world.try_open(&[7], NOW) {
                assert!(look(&store, session(1), NOW).await.ended.is_some(), "{place}");
            }
        });
    }
}

//! The file is bounded as the memory is.

use futures_util::future::join_all;

use super::*;

/// Twenty times as many ends, marks and renewals as are alive at a time: rows and bytes stay with what is alive.
#[tokio::test]
async fn what_is_over_leaves_the_file() {
    let world = World::new();
    let store = world.open(NOW);
    let mut sizes = Vec::new();
    for round in 0..40_u32 {
        let now = at(u64::from(round) * 100);
        let soon = now.after(Duration::from_secs(150));
        let all = (0..50).map(|number| {
            let (store, id) = (&store, session(round * 1000 + number));
            async move {
                let mut mark = [0; 32];
                mark[..16].copy_from_slice(&id.0);
                assert!(store.use_once(mark, soon, now).await.unwrap());
                let kept = store.keep_renewal(id, G0, vec![7; 2000], soon, soon, now);
                assert!(kept.await.unwrap());
                store.end(id, EndReason::Revoked, soon, now).await.unwrap();
            }
        });
        join_all(all).await;
        sizes.push(std::fs::metadata(world.path()).unwrap().len());
    }
    let (early, late) = (sizes[9], sizes[39]);
    assert!(late <= early + early / 4, "{early} bytes, then {late}: {sizes:?}");
}

/// Whose place is taken in memory goes from the file, too: a flood of marks that are all alive fills neither.
#[tokio::test]
async fn what_memory_forgets_for_room_leaves_the_file() {
    let world = World::new();
    let capacity = Capacity {
        marks: 100,
        records: 100,
        refusals: 100,
        ..Capacity::default()
    };
    let open = || {
        let ring = [key(7)];
        FileStore::with_capacity(&world.path(), &ring, Arc::new(OsRandom), NOW, capacity).unwrap()
    };
    let store = open();
    let flood = (0..500).map(|number| {
        let (store, id) = (&store, session(number));
        async move {
            let mut mark = [0; 32];
            mark[..16].copy_from_slice(&id.0);
            assert!(store.use_once(mark, at(600), NOW).await.unwrap());
            store.record(id, record(number), NOW).await.unwrap();
            store.refused(id, G0, NOW).await.unwrap();
        }
    });
    join_all(flood).await;
    store.settled().await;
    drop(store);
    let (backend, _) = super::super::database::file(&world.path()).unwrap();
    let database = super::super::Database::open(backend).unwrap();
    assert_eq!(database.rows().unwrap(), (300, 300));
    drop(database);
    // And it is read back in the order in which it was used.
    let mut newest = [0; 32];
    newest[..16].copy_from_slice(&session(499).0);
    assert!(!open().use_once(newest, at(600), NOW).await.unwrap());
}

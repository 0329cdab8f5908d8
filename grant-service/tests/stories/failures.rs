//! A database that fails: either all of a wish has happened, or nothing of it.

use futures_util::FutureExt;
use hallpass_grants::audit::Event;
use hallpass_grants::desk::Fault;
use hallpass_grants::life::Origin;
use hallpass_grants::store::{GrantFilter, Store};
use sqlx::{AnyPool, AssertSqlSafe, Executor};
use tokio::spawn;

use crate::world::{Database, World, on_each_database, person, told, wish};

async fn run(pool: &AnyPool, statement: &str) {
    pool.execute(AssertSqlSafe(statement)).await.unwrap();
}

/// Lets whatever is written to this table fail there and then.
async fn refuse_writes_to(world: &World, table: &str) {
    let pool = world.back_door().await;
    match world.database {
        Database::Sqlite => {
            let trigger = format!(
                "CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'broken'); END"
            );
            run(&pool, &trigger).await;
        }
        Database::Postgres => {
            run(&pool, REFUSE).await;
            let trigger = format!(
                "CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION broken()"
            );
            run(&pool, &trigger).await;
        }
    }
}

const REFUSE: &str = "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$";

async fn mend(world: &World, table: &str) {
    let pool = world.back_door().await;
    match world.database {
        Database::Sqlite => run(&pool, "DROP TRIGGER broken").await,
        Database::Postgres => run(&pool, &format!("DROP TRIGGER broken ON {table}")).await,
    }
}

/// Lets every transaction that adds to the record fail when it is committed, and not before.
async fn refuse_commits(world: &World) {
    let pool = world.back_door().await;
    match world.database {
        Database::Sqlite => {
            run(&pool, "CREATE TABLE parents (id INTEGER PRIMARY KEY)").await;
            run(&pool, "CREATE TABLE orphans (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)").await;
            run(&pool, "CREATE TRIGGER broken AFTER INSERT ON audit BEGIN INSERT INTO orphans VALUES (7); END").await;
        }
        Database::Postgres => {
            run(&pool, REFUSE).await;
            run(&pool, "CREATE CONSTRAINT TRIGGER broken AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED \
                 FOR EACH ROW EXECUTE FUNCTION broken()").await;
        }
    }
}

fn is_store_fault<T>(answer: &Result<T, Fault>) -> bool {
    matches!(answer, Err(Fault::Store(_)))
}

#[tokio::test]
async fn a_wish_that_fails_in_the_middle_leaves_nothing() {
    on_each_database(async |world| {
        let World {
            desk,
            other,
            origin,
            ..
        } = &world;
        let (alice, lena) = (person("alice", &["dev"]), person("lena", &["lead"]));
        let id = world.ask(&alice, wish("read", 60)).await;
        let before = world.record().await;
        // The request is closed by then, and its approval kept.
        refuse_writes_to(&world, "grants").await;
        assert!(is_store_fault(&desk.approve(&lena, &id, origin).await));
        let request = other.store().request(&id).await.unwrap().unwrap();
        assert_eq!(request.state(), "pending");
        assert!(request.facts().approvals.is_empty());
        assert_eq!(world.record().await, before);
        mend(&world, "grants").await;
        assert_eq!(told(desk.approve(&lena, &id, origin).await), Ok("approved"));
        assert!(world.live(&alice, "read").await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_wish_that_cannot_be_committed_has_not_happened() {
    on_each_database(async |world| {
        let World {
            desk,
            other,
            origin,
            ..
        } = &world;
        let (alice, oscar) = (
            person("alice", &["dev"]),
            person("oscar", &["dev", "oncall"]),
        );
        let id = world.ask(&alice, wish("read", 60)).await;
        let before = world.record().await;
        let news = desk.news();
        refuse_commits(&world).await;
        for _ in 0..3 {
            assert!(is_store_fault(
                &desk.request(&oscar, wish("read", 60), origin).await
            ));
            assert!(is_store_fault(&other.withdraw(&alice, &id, origin).await));
        }
        assert!(!news.has_changed().unwrap(), "nobody is told");
        assert_eq!(world.live(&oscar, "read").await, None);
        let request = desk.store().request(&id).await.unwrap().unwrap();
        assert_eq!(request.state(), "pending");
        assert_eq!(world.record().await, before);
        mend(&world, "audit").await;
        assert_eq!(
            told(other.withdraw(&alice, &id, origin).await),
            Ok("withdrawn")
        );
    })
    .await;
}

#[tokio::test]
async fn whoever_gives_up_waiting_leaves_the_turn_to_others() {
    on_each_database(async |world| {
        let World {
            desk,
            other,
            origin,
            ..
        } = &world;
        let pool = world.back_door().await;
        let mut hog = pool.begin().await.unwrap();
        hog.execute("UPDATE chain SET position = position")
            .await
            .unwrap();
        let oscar = person("oscar", &["dev", "oncall"]);
        let mut impatient = {
            let (desk, oscar) = (desk.clone(), oscar.clone());
            Box::pin(async move {
                let origin = Origin::default();
                desk.request(&oscar, wish("read", 60), &origin).await
            })
        };
        assert!((&mut impatient).now_or_never().is_none(), "it has the turn");
        let impatient = spawn(impatient);
        // A file does not tell who waits for it: there, it may be given up a moment before it does.
        if world.database == Database::Postgres {
            world.until_they_wait(&pool, 1).await;
        }
        impatient.abort();
        assert!(impatient.await.unwrap_err().is_cancelled(), "it waits");
        // Looking needs nobody's turn.
        assert_eq!(world.live(&oscar, "read").await, None);
        hog.rollback().await.unwrap();
        for desk in [desk, other] {
            let action = if std::ptr::eq(desk, other) {
                "read"
            } else {
                "write"
            };
            assert_eq!(
                told(desk.request(&oscar, wish(action, 60), origin).await),
                Ok("approved")
            );
        }
        assert_eq!(world.record().await.len(), 6);
    })
    .await;
}

#[tokio::test]
async fn whoever_holds_the_end_of_the_record_for_too_long_does_not_hold_up_the_others_for_ever() {
    on_each_database(async |world| {
        let World {
            desk,
            other,
            origin,
            ..
        } = &world;
        let pool = world.back_door().await;
        let mut hog = pool.begin().await.unwrap();
        hog.execute("UPDATE chain SET position = position")
            .await
            .unwrap();
        let oscar = person("oscar", &["dev", "oncall"]);
        let (here, there) = tokio::join!(
            desk.request(&oscar, wish("read", 60), origin),
            other.request(&oscar, wish("read", 60), origin),
        );
        assert!(
            is_store_fault(&here) && is_store_fault(&there),
            "{here:?} {there:?}"
        );
        hog.rollback().await.unwrap();
        assert_eq!(world.record().await, []);
        assert_eq!(
            told(desk.request(&oscar, wish("read", 60), origin).await),
            Ok("approved")
        );
    })
    .await;
}

#[tokio::test]
async fn a_server_that_has_hung_up_is_asked_again() {
    let world = World::on(Database::Postgres).await;
    let oscar = person("oscar", &["dev", "oncall"]);
    world.ask(&oscar, wish("read", 60)).await;
    let pool = world.back_door().await;
    for round in 0..2 {
        run(
            &pool,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
        if round == 0 {
            assert!(world.live(&oscar, "read").await.is_some());
        } else {
            world
                .ask(&person("olga", &["dev", "oncall"]), wish("read", 60))
                .await;
        }
    }
    assert_eq!(world.events().await.last(), Some(&Event::GrantGiven));
}

#[tokio::test]
async fn replicas_may_start_at_the_same_time_on_an_empty_database() {
    let url = hallpass_postgres::shared().new_database().unwrap();
    let (one, two, three) = tokio::join!(Store::open(&url), Store::open(&url), Store::open(&url));
    for store in [one, two, three] {
        let grants = store
            .unwrap()
            .grants(&GrantFilter::default())
            .await
            .unwrap();
        assert_eq!(grants, []);
    }
}

#[tokio::test]
async fn a_database_that_a_newer_version_wrote_is_not_touched() {
    on_each_database(async |world| {
        let pool = world.back_door().await;
        run(&pool, "UPDATE _sqlx_migrations SET version = 9999").await;
        let refused = Store::open(&world.url).await.unwrap_err();
        let told = format!("{refused:#}");
        let expected = "was written by a newer hallpass-grants (migration 9999): \
             run that version, or put back a backup of before the upgrade";
        assert!(told.contains(expected), "{told}");
        let url: url::Url = world.url.parse().unwrap();
        let name = url.path().trim_start_matches('/');
        assert!(told.contains(name), "it says which: {told}");
    })
    .await;
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_named_without_its_password() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    for (url, expected) in [
        (
            "sqlite:/nowhere/grants.db".to_owned(),
            "cannot open the database `/nowhere/grants.db`".to_owned(),
        ),
        (
            format!("postgres://hallpass:s3cret@127.0.0.1:{port}/grants"),
            format!("cannot open the database `grants` at `127.0.0.1:{port}`"),
        ),
    ] {
        let refused = Store::open(&url).await.unwrap_err();
        let told = format!("{refused:#}");
        assert!(told.starts_with(&expected), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
}

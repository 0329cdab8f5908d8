//! The record: it is only added to, and whoever gets around that is found out.

use hallpass_grants::audit::{Broken, Hash, verify};
use hallpass_grants::store::{AuditFilter, Revoked};
use sqlx::{AnyPool, AssertSqlSafe};

use crate::world::{Database, World, on_each_database, person, wish};

/// Some life: 8 entries.
async fn some_life(world: &World) {
    let (alice, oscar) = (
        person("alice", &["dev"]),
        person("oscar", &["dev", "oncall"]),
    );
    let id = world.ask(&alice, wish("read", 60)).await;
    let lena = person("lena", &["lead"]);
    world
        .other
        .approve(&lena, &id, &world.origin)
        .await
        .unwrap();
    world.ask(&oscar, wish("read", 60)).await;
    let ada = person("ada", &["security"]);
    let resource = Revoked::Resource("orders".to_owned());
    world
        .desk
        .revoke(&ada, &resource, "incident", &world.origin)
        .await
        .unwrap();
}

async fn run(pool: &AnyPool, statement: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    Ok(done.rows_affected())
}

/// Follows the chain and compares its end with the one that is kept beside it.
async fn check(world: &World) -> Result<(), Broken> {
    let all = AuditFilter {
        limit: 1_000,
        ..AuditFilter::default()
    };
    let store = world.desk.store();
    let links = store.audit(&all).await.unwrap();
    let end = links
        .iter()
        .try_fold((0, Hash::GENESIS), |end, (_, link)| verify(end, link))?;
    if store.chain_end().await.unwrap() == (end.0, end.1.to_string()) {
        Ok(())
    } else {
        Err(Broken {
            position: end.0,
            fault: "the end is missing",
        })
    }
}

#[tokio::test]
async fn an_entry_cannot_be_changed_removed_or_written_over() {
    on_each_database(async |world| {
        some_life(&world).await;
        let before = world.record().await;
        let pool = world.back_door().await;
        let mut attempts = vec![
            "UPDATE audit SET entry = '{}' WHERE position = 2",
            "UPDATE audit SET position = 99 WHERE position = 2",
            "DELETE FROM audit WHERE position = 2",
            "DELETE FROM audit",
            "INSERT INTO audit SELECT * FROM audit WHERE position = 2",
        ];
        attempts.push(match world.database {
            Database::Sqlite => {
                "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE position = 2"
            }
            Database::Postgres => "TRUNCATE audit",
        });
        for attempt in attempts {
            let refused = run(&pool, attempt).await.unwrap_err().to_string();
            let said = ["the record is only added to", "duplicate key"];
            assert!(
                said.iter().any(|said| refused.contains(said)),
                "{attempt}: {refused}"
            );
        }
        assert_eq!(world.record().await, before);
    })
    .await;
}

#[tokio::test]
async fn whoever_gets_around_the_triggers_breaks_the_chain() {
    let tampering = [
        (
            "UPDATE audit SET entry = REPLACE(entry, 'lena', 'mona') WHERE position = 2",
            2,
        ),
        ("DELETE FROM audit WHERE position = 3", 3),
        (
            "UPDATE audit SET hash = (SELECT hash FROM audit WHERE position = 1) WHERE position = 2",
            2,
        ),
        (
            "DELETE FROM audit WHERE position = (SELECT MAX(position) FROM audit)",
            8,
        ),
    ];
    on_each_database(async |world| {
        some_life(&world).await;
        assert_eq!(world.record().await.len(), 9);
        assert_eq!(check(&world).await, Ok(()));
    })
    .await;
    for (statement, position) in tampering {
        on_each_database(async |world| {
            some_life(&world).await;
            let pool = world.back_door().await;
            let disarm: &[&str] = match world.database {
                Database::Sqlite => &[
                    "DROP TRIGGER audit_is_not_changed",
                    "DROP TRIGGER audit_is_not_removed",
                ],
                Database::Postgres => &["ALTER TABLE audit DISABLE TRIGGER USER"],
            };
            for statement in disarm {
                run(&pool, statement).await.unwrap();
            }
            assert_eq!(run(&pool, statement).await.unwrap(), 1);
            let broken = check(&world).await.unwrap_err();
            assert_eq!(broken.position, position, "{statement}: {broken}");
        })
        .await;
    }
}

#[tokio::test]
async fn the_record_is_the_same_on_both_databases() {
    let mut told = Vec::new();
    for database in [Database::Sqlite, Database::Postgres] {
        let world = World::on(database).await;
        some_life(&world).await;
        let mut record = world.record().await;
        for entry in &mut record {
            // Their names are made up anew each time.
            entry.request = None;
            entry.grant = None;
        }
        told.push(record);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn the_record_is_found_by_who_what_and_when() {
    on_each_database(async |world| {
        some_life(&world).await;
        let all = AuditFilter {
            limit: 100,
            ..AuditFilter::default()
        };
        let text = |text: &str| Some(text.to_owned());
        let now = Some(world.desk.clock().now());
        for (what, filter, expected) in [
            ("all", all.clone(), vec![1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (
                "behind the sixth",
                AuditFilter {
                    after: 6,
                    ..all.clone()
                },
                vec![7, 8, 9],
            ),
            (
                "what",
                AuditFilter {
                    event: text("grant_revoked"),
                    ..all.clone()
                },
                vec![8, 9],
            ),
            (
                "who",
                AuditFilter {
                    actor: text("lena"),
                    ..all.clone()
                },
                vec![2, 3],
            ),
            (
                "about whom",
                AuditFilter {
                    subject: text("alice"),
                    ..all.clone()
                },
                vec![1, 2, 3, 8],
            ),
            (
                "since now",
                AuditFilter {
                    since: now,
                    limit: 2,
                    ..all.clone()
                },
                vec![1, 2],
            ),
            (
                "until now",
                AuditFilter {
                    until: now,
                    ..all.clone()
                },
                vec![],
            ),
            (
                "the latest",
                AuditFilter {
                    latest_first: true,
                    limit: 2,
                    ..all.clone()
                },
                vec![9, 8],
            ),
            (
                "two things",
                AuditFilter {
                    resource: text("orders"),
                    actor: text("ada"),
                    ..all
                },
                vec![7, 8, 9],
            ),
        ] {
            let entries = world.other.store().audit(&filter).await.unwrap();
            let positions: Vec<_> = entries.iter().map(|(position, _)| *position).collect();
            assert_eq!(positions, expected, "{what}");
        }
    })
    .await;
}

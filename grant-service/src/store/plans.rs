//! The statements that are run all the time find what they look for by an index, on both databases.

use sqlx::{AssertSqlSafe, Executor, Row};

use super::Store;
use super::read::{ANYTHING_OVERDUE, LIVE_GRANT};

/// Each statement, with the indexes that it must use.
const STATEMENTS: [(&str, &[&str]); 2] = [
    (LIVE_GRANT, &["grants_live"]),
    (
        ANYTHING_OVERDUE,
        &[
            "grants_to_expire",
            "requests_to_expire",
            "idempotency_to_forget",
            "revocations_to_forget",
        ],
    ),
];

#[tokio::test]
async fn what_is_asked_all_the_time_is_found_by_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", directory.path().join("grants.db").display());
    let postgres = hallpass_postgres::shared().new_database().unwrap();
    for (url, explain, column) in [
        (sqlite, "EXPLAIN QUERY PLAN", "detail"),
        (postgres, "EXPLAIN", "QUERY PLAN"),
    ] {
        let store = Store::open(&url).await.unwrap();
        let mut connection = store.pool.acquire().await.unwrap();
        if column != "detail" {
            // A table as empty as these is read from end to end otherwise.
            connection
                .execute("SET enable_seqscan = off")
                .await
                .unwrap();
        }
        for (statement, indexes) in STATEMENTS {
            // Times are behind the first two, names behind the rest.
            let values = (1..=7).fold(statement.to_owned(), |statement, number| {
                let statement = statement.replace(&format!("<= ${number}"), "<= 1");
                let statement = statement.replace(&format!("> ${number}"), "> 1");
                statement.replace(&format!("${number}"), "'x'")
            });
            let rows = connection
                .fetch_all(AssertSqlSafe(format!("{explain} {values}")))
                .await
                .unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(column)).collect();
            for index in indexes {
                let uses = plan.iter().any(|step| step.contains(index));
                assert!(uses, "{index}: {plan:#?}");
            }
        }
    }
}

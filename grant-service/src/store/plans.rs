//! The statements that are run all the time find what they look for by an index, on both databases.

use sqlx::{AssertSqlSafe, Executor, Row};

use super::change::{NTH_END, NTH_END_OF_REVOKED};
use super::pending::PENDING;
use super::read::{ANYTHING_OVERDUE, LIVE_GRANT};
use super::{Store, feed};

/// A statement, values for it, and the indexes that it must use.
type Statement<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

const STATEMENTS: [Statement<'_>; 6] = [
    (
        LIVE_GRANT,
        &["'s-7'", "'orders'", "'read'", "'i'", "'http'", "1", "1"],
        &["grants_live"],
    ),
    (
        PENDING,
        &["'i'", "'s-7'", "'http'", "'orders'", "'read'", "1"],
        &["requests_pending"],
    ),
    (NTH_END, &["'s-7'", "'i'", "1", "49"], &["grants_by_person"]),
    (
        NTH_END_OF_REVOKED,
        &["'s-7'", "'i'", "1", "49"],
        &["grants_by_person"],
    ),
    (
        ANYTHING_OVERDUE,
        &["1", "1"],
        &[
            "grants_to_expire",
            "requests_to_expire",
            "idempotency_to_forget",
            "revocations_to_forget",
        ],
    ),
    (
        feed::ALL,
        &["0", "9000", "1", "5000"],
        &["revocations_to_forget"],
    ),
];

/// A thousand people with a grant on one resource, and as many who wait for another.
const MANY_GRANTS: &str = "\
    INSERT INTO requests (id, state, issuer, subject, resource_type, resource, action, duration, reason, emergency, at, until) \
    SELECT 'w-' || n, 'pending', 'i', 's-' || n, 'http', 'orders', 'write', 60, 'why', 0, 0, 9000 + n FROM generate_series(1, 1000) n; \
    INSERT INTO requests (id, state, issuer, subject, resource_type, resource, action, duration, reason, emergency, at, until, closed_at, grant_id) \
    SELECT 'r-' || n, 'approved', 'i', 's-' || n, 'http', 'orders', 'read', 60, 'why', 0, 0, 9000, 1, 'g-' || n FROM generate_series(1, 1000) n; \
    INSERT INTO grants (id, request, state, issuer, subject, resource_type, resource, action, valid_from, valid_until, emergency) \
    SELECT 'g-' || n, 'r-' || n, 'active', 'i', 's-' || n, 'http', 'orders', 'read', 0, 9000 + n, 0 FROM generate_series(1, 1000) n; \
    ANALYZE;";

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
            // It plans by what is there.
            connection.execute(MANY_GRANTS).await.unwrap();
            // A table that is empty is read from end to end otherwise.
            connection
                .execute("SET enable_seqscan = off")
                .await
                .unwrap();
        }
        for (statement, values, indexes) in STATEMENTS {
            let statement = (1..)
                .zip(values)
                .fold(statement.to_owned(), |so_far, (number, value)| {
                    so_far.replace(&format!("${number}"), value)
                });
            let rows = connection
                .fetch_all(AssertSqlSafe(format!("{explain} {statement}")))
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

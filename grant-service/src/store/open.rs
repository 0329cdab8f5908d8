//! Opening the database, and bringing it up to date.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{AnyPool, ConnectOptions, Connection, Executor};
use tokio::sync::Mutex;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// How long to wait for a connection, or for those who are changing something.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// So many statements at once; the rest waits. A file has one writer, and its readers wait for nobody.
const CONNECTIONS: u32 = 16;

/// What is acknowledged is on the disk: in WAL mode only FULL waits for it.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;";
/// What is acknowledged is on the server's disk, whatever its own default is, and a replica that hangs in the middle of a change does not stop the
/// others for long. Under READ COMMITTED, whoever waited for the end of the record sees what the change before left, in this and in all later
/// statements.
const POSTGRES_SETTINGS: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED; \
     SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '15s'; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

/// The database.
#[derive(Debug)]
pub struct Store {
    pub(super) pool: AnyPool,
    /// Changes wait here for each other, in the order in which they come: the database's own lock keeps no queue.
    pub(super) turn: Mutex<()>,
}

impl Store {
    /// Opens `sqlite:PATH` (made if it is not there) or `postgres://...`, and brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be opened, or was written by a newer version.
    pub async fn open(url: &str) -> Result<Self> {
        install_default_drivers();
        let (url, migrator) = match url.split_once(':') {
            Some(("sqlite", _)) if url.contains('?') => (url.to_owned(), &SQLITE),
            Some(("sqlite", _)) => (format!("{url}?mode=rwc"), &SQLITE),
            Some(("postgres" | "postgresql", _)) => (url.to_owned(), &POSTGRES),
            _ => bail!("the database must be `sqlite:PATH` or `postgres://USER@HOST/NAME`"),
        };
        let is_sqlite = std::ptr::eq(migrator, &raw const SQLITE);
        let settings = if is_sqlite {
            SQLITE_SETTINGS
        } else {
            POSTGRES_SETTINGS
        };
        let options = AnyConnectOptions::from_str(&url).context("the database's address")?;
        migrate(&options, migrator).await?;
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            // A file does not hang up.
            .test_before_acquire(!is_sqlite)
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(settings).await.map(drop) })
            })
            .connect_with(options)
            .await
            .context("cannot open the database")?;
        Ok(Self {
            pool,
            turn: Mutex::new(()),
        })
    }

    /// Closes all connections, once what is under way has ended.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// On a connection of its own, which waits for another replica that does the same.
async fn migrate(options: &AnyConnectOptions, migrator: &Migrator) -> Result<()> {
    let mut connection = options
        .connect()
        .await
        .context("cannot open the database")?;
    migrator
        .run(&mut connection)
        .await
        .context("cannot bring the database's tables up to date")?;
    connection
        .close()
        .await
        .context("cannot close the database")
}

//! Opening the database, and bringing it up to date.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use percent_encoding::percent_decode_str;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AnyPool, ConnectOptions, Connection, Executor};
use tokio::sync::Mutex;
use url::Url;

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
        let which = which(&options.database_url);
        migrate(&options, migrator, &which).await?;
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
            .with_context(|| format!("cannot open the database {which}"))?;
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

/// What to call the database in a message: the file's path, or the server's address and the database's name, without who connects and how.
pub(super) fn which(url: &Url) -> String {
    let path = percent_decode_str(url.path()).decode_utf8_lossy();
    if url.scheme() == "sqlite" {
        return format!("`{path}`");
    }
    let mut name = path.trim_start_matches('/').to_owned();
    let mut host = url.host_str().unwrap_or_default().to_owned();
    let mut port = url.port().map(|port| port.to_string());
    // As the driver has it, the query goes before the rest; a folder of sockets can stand nowhere else.
    for (member, value) in url.query_pairs() {
        match member.as_ref() {
            "dbname" => name = value.into_owned(),
            "host" | "hostaddr" => host = value.into_owned(),
            "port" => port = Some(value.into_owned()),
            _ => {}
        }
    }
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("`{name}` at `{host}{port}`")
}

/// Whether it is on another machine, and nothing shows that who answers there is that machine: by the driver's own reading, which takes what the
/// address leaves out from the environment.
pub fn is_unproven(url: &str) -> bool {
    if !url.starts_with("postgres:") && !url.starts_with("postgresql:") {
        return false;
    }
    let Ok(options) = PgConnectOptions::from_str(url) else {
        // It is no address, and that is told when it is opened.
        return false;
    };
    let host = options.get_host();
    let is_folder = options.get_socket().is_some() || host.starts_with('/');
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    let mode = options.get_ssl_mode();
    let is_shown = matches!(mode, PgSslMode::VerifyCa | PgSslMode::VerifyFull);
    !(is_folder || is_here || is_shown)
}

/// On a connection of its own, which waits for another replica that does the same.
async fn migrate(options: &AnyConnectOptions, migrator: &Migrator, which: &str) -> Result<()> {
    let mut connection = options
        .connect()
        .await
        .with_context(|| format!("cannot open the database {which}"))?;
    match migrator.run(&mut connection).await {
        Ok(()) => {}
        Err(MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _)) => {
            bail!(
                "the database {which} was written by a newer hallpass-grants (migration {version}): \
                 run that version, or put back a backup of before the upgrade"
            );
        }
        Err(error) => {
            return Err(error).with_context(|| {
                format!("cannot bring the tables of the database {which} up to date")
            });
        }
    }
    connection
        .close()
        .await
        .with_context(|| format!("cannot close the database {which}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_called_by_its_place_and_without_a_password() {
        for (url, expected) in [
            ("sqlite:/var/lib/grants.db", "`/var/lib/grants.db`"),
            ("sqlite:grants.db?mode=rwc", "`grants.db`"),
            ("sqlite:///var/my%20grants.db", "`/var/my grants.db`"),
            (
                "postgres://hallpass:s3cret@db.example/grants",
                "`grants` at `db.example`",
            ),
            (
                "postgresql://db.example:6432/grants?password=s3cret&user=hallpass",
                "`grants` at `db.example:6432`",
            ),
            (
                "postgres://localhost/grants?host=/run/postgresql&password=s3cret",
                "`grants` at `/run/postgresql`",
            ),
        ] {
            let options = AnyConnectOptions::from_str(url).unwrap();
            assert_eq!(which(&options.database_url), expected, "{url}");
        }
    }

    #[test]
    fn a_server_elsewhere_is_proven_by_its_certificate_alone() {
        for (url, expected) in [
            ("sqlite:grants.db", false),
            ("postgres://db.example/grants?sslmode=prefer", true),
            ("postgresql://10.0.0.7:6432/grants?sslmode=require", true),
            (
                "postgres://localhost/grants?host=db.example&sslmode=prefer",
                true,
            ),
            ("postgres://db.example/grants?sslmode=verify-ca", false),
            (
                "postgres://db.example/grants?sslmode=verify-full&sslrootcert=/etc/ca.pem",
                false,
            ),
            ("postgres://localhost/grants?sslmode=prefer", false),
            ("postgres://[::1]/grants?sslmode=prefer", false),
            (
                "postgres://db.example/grants?host=/run/postgresql&sslmode=prefer",
                false,
            ),
            ("postgres://db.example/grants?sslmode=odd", false),
        ] {
            assert_eq!(is_unproven(url), expected, "{url}");
        }
    }
}

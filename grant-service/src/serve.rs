//! The running service: everything put together, on the network, until it is told to stop.

mod connections;
mod files;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::Desk;
use crate::http::router;
use crate::identity::Doorkeeper;
use crate::notify::{Courier, Receiver};
use crate::store::Store;
use connections::{Bounds, listen};

/// How often what has ended by itself is put on record. It has ended before that, whatever the record says.
const EXPIRY: Duration = Duration::from_secs(1);
/// So long the requests that are under way have to end, once the service is told to stop.
const FAREWELL: Duration = Duration::from_secs(10);
/// So long a new connection has for the head of its first request, once that has begun.
const HEAD: Duration = Duration::from_secs(10);
/// So long a connection may be open before its first byte comes, and between two requests, the head of the second included. A proxy that waits at
/// the feed asks again sooner.
const IDLE: Duration = Duration::from_mins(1);
/// So long an answer waits for whoever asked to take more of it.
const UNREAD: Duration = Duration::from_secs(30);

/// Serves until SIGTERM or Ctrl-C, and lets what is under way end.
///
/// # Errors
/// When the database cannot be opened, or the address is taken.
pub async fn serve(config: Config) -> Result<()> {
    let stop = stop()?;
    for warning in config.warnings() {
        warn!("{warning}");
    }
    let files = files::raise();
    if let Some(warning) = files::shortage(files) {
        warn!("{warning}");
    }
    let store = Store::open(&String::from_utf8_lossy(config.database.bytes())).await?;
    let clock = Clock::system();
    let hooks = config.webhooks.iter().map(Receiver::hook);
    let desk = Desk::new(store, config.policy.clone(), clock.clone())
        .telling(hooks.collect())
        .remembering(config.remember);
    let desk = Arc::new(desk);
    let doorkeeper = Arc::new(Doorkeeper::new(&config, clock)?);
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    info!("listening on http://{}", listener.local_addr()?);

    let courier = Courier::new(
        desk.clone(),
        config.webhooks.clone(),
        config.public_url.clone(),
    )?;
    let tasks = [
        tokio::spawn(expire(desk.clone(), stop.clone())),
        tokio::spawn(refresh(doorkeeper.clone(), stop.clone())),
        tokio::spawn(notify(courier, stop.clone())),
    ];
    let app = App {
        desk: desk.clone(),
        doorkeeper,
        default_issuer: config.default_issuer(),
        public_url: config.public_url,
        sign_in_url: config.sign_in_url,
        return_origins: config.return_origins,
    };
    let bounds = Bounds {
        open: files::connections(files),
        head: HEAD,
        idle: IDLE,
        unread: UNREAD,
    };
    tokio::select! {
        () = listen(listener, router(app), bounds, stop.clone()) => {}
        () = late(stop) => warn!("requests are still under way after {FAREWELL:?}, and are cut"),
    }
    for task in tasks {
        task.await?;
    }
    desk.store().close().await;
    info!("stopped");
    Ok(())
}

/// Becomes true once the service is to stop.
fn stop() -> Result<watch::Receiver<bool>> {
    let (tell, stop) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping");
        tell.send_replace(true);
    });
    Ok(stop)
}

async fn told(mut stop: watch::Receiver<bool>) {
    // Whoever tells has gone only with the whole program.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn late(stop: watch::Receiver<bool>) {
    told(stop).await;
    tokio::time::sleep(FAREWELL).await;
}

/// Keeps the keys of issuers fresh.
async fn refresh(doorkeeper: Arc<Doorkeeper>, stop: watch::Receiver<bool>) {
    tokio::select! {
        () = doorkeeper.refresh() => {}
        () = told(stop) => {}
    }
}

/// Tells others what happens. What is under way when it stops is told again by another replica, or at the next start.
async fn notify(courier: Courier, stop: watch::Receiver<bool>) {
    tokio::select! {
        () = Arc::new(courier).run() => {}
        () = told(stop) => {}
    }
}

/// Puts on record what ends.
async fn expire(desk: Arc<Desk>, stop: watch::Receiver<bool>) {
    loop {
        match desk.expire().await {
            Ok(true) if !*stop.borrow() => continue,
            Ok(_) => {}
            Err(fault) => error!("what has ended cannot be put on record: {fault:?}"),
        }
        tokio::select! {
            () = tokio::time::sleep(EXPIRY) => {}
            () = told(stop.clone()) => return,
        }
    }
}

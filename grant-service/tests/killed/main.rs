//! The program, killed in the middle of what it does, again and again: what it has acknowledged is there.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use hallpass_grants::audit::{Entry, Event, Hash, verify};
use hallpass_grants::life::{GrantId, RequestId};
use hallpass_grants::store::{AuditFilter, Store};
use hallpass_grants_load::{Client, Person, Service};

const PROGRAM: &str = env!("CARGO_BIN_EXE_hallpass-grants");
const KILLS: usize = 10;
const WRITERS: usize = 4;
/// So many steps are acknowledged before the next kill, and some more in each round, so that it comes at another moment.
const STEPS: usize = 20;

/// What the service has acknowledged about someone.
#[derive(Debug, Default)]
struct Acknowledged {
    request: Option<String>,
    grant: Option<String>,
    is_revoked: bool,
    /// Whether the service was killed before it said what came of taking the grant back.
    may_be_revoked: bool,
}

#[test]
fn what_was_acknowledged_is_there_however_often_the_service_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("grants.db").display());
    kill_again_and_again(folder.path(), &database, 1);
}

#[test]
fn what_was_acknowledged_is_there_however_often_both_replicas_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let database = hallpass_postgres::shared().new_database().unwrap();
    kill_again_and_again(folder.path(), &database, 2);
}

/// Has people live at all replicas, until these are killed one after the other in the middle of it.
fn kill_again_and_again(folder: &Path, database: &str, replicas: usize) {
    let everyone = Mutex::new(HashMap::<String, Acknowledged>::new());
    for round in 0..KILLS {
        let services: Vec<_> = (0..replicas).map(|_| start(folder, database)).collect();
        for service in &services {
            let client = Client::new(service.address());
            for (name, known) in everyone.lock().unwrap().iter() {
                check_decision(&client, name, known);
            }
        }
        let address = |service: &Service| service.address().to_owned();
        let addresses: Vec<_> = services.iter().map(address).collect();
        let (step, steps) = channel();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let address = &addresses[writer % replicas];
                let (step, everyone) = (step.clone(), &everyone);
                scope.spawn(move || {
                    let client = Client::new(address);
                    let names = (0..).map(|turn| format!("person-{round}-{writer}-{turn}"));
                    for name in names {
                        let known = live(&client, &name, &step);
                        let was_killed = known.is_err();
                        let known = known.unwrap_or_else(|known| known);
                        everyone.lock().unwrap().insert(name, known);
                        if was_killed {
                            return;
                        }
                    }
                });
            }
            drop(step);
            assert_eq!(
                steps.iter().take(STEPS + round * 3).count(),
                STEPS + round * 3
            );
            for service in services {
                service.kill().unwrap();
            }
        });
        check_database(database, &everyone.lock().unwrap());
    }
    let everyone = everyone.into_inner().unwrap();
    let grants = everyone.values().filter(|known| known.grant.is_some());
    assert!(grants.count() > KILLS, "there was little to lose");
}

fn start(folder: &Path, database: &str) -> Service {
    Service::start(Path::new(PROGRAM), folder, database).unwrap()
}

/// Someone requests, a lead approves, and every third gives it back. An error stands for a service that is gone: what it had acknowledged by then.
fn live(client: &Client, name: &str, step: &Sender<()>) -> Result<Acknowledged, Acknowledged> {
    let asker = Person { name, group: "dev" };
    let lead = Person {
        name: "lena",
        group: "lead",
    };
    let mut known = Acknowledged::default();
    let Ok(request) = client.request(asker) else {
        return Err(known);
    };
    let _ = step.send(());
    known.request = Some(request.clone());
    let Ok(grant) = client.approve(lead, &request) else {
        return Err(known);
    };
    let _ = step.send(());
    known.grant = Some(grant.clone());
    if name.ends_with(['0', '3', '6', '9']) {
        known.may_be_revoked = true;
        if client.revoke(asker, &grant).is_err() {
            return Err(known);
        }
        let _ = step.send(());
        known.is_revoked = true;
    }
    Ok(known)
}

fn check_decision(client: &Client, name: &str, known: &Acknowledged) {
    let is_allowed = client.is_allowed(name).unwrap();
    match known {
        Acknowledged {
            is_revoked: true, ..
        } => assert!(!is_allowed, "{name}: {known:?}"),
        Acknowledged {
            may_be_revoked: true,
            ..
        }
        | Acknowledged { grant: None, .. } => {}
        _ => assert!(is_allowed, "{name}: {known:?}"),
    }
}

/// The record holds, and both it and the tables know all that was acknowledged.
#[tokio::main(flavor = "current_thread")]
async fn check_database(database: &str, everyone: &HashMap<String, Acknowledged>) {
    let store = Store::open(database).await.unwrap();
    let all = AuditFilter {
        limit: u32::MAX,
        ..AuditFilter::default()
    };
    let links = store.audit(&all).await.unwrap();
    let mut end = (0, Hash::GENESIS);
    for (_, link) in &links {
        end = verify(end, link).unwrap();
    }
    assert_eq!(store.chain_end().await.unwrap(), (end.0, end.1.to_string()));
    let entry = |text: &str| -> Entry { serde_json::from_str(text).unwrap() };
    let record: Vec<_> = links.iter().map(|(_, link)| entry(&link.text)).collect();
    let count = |event, name: &str, of: fn(&Entry) -> &Option<String>| {
        let about = |entry: &&Entry| entry.event == event && of(entry).as_deref() == Some(name);
        record.iter().filter(about).count()
    };
    for (name, known) in everyone {
        if let Some(request) = &known.request {
            assert_eq!(
                count(Event::RequestOpened, request, |entry| &entry.request),
                1,
                "{name}"
            );
            let id = RequestId(request.clone());
            let kept = store.request(&id).await.unwrap().unwrap();
            if known.grant.is_some() {
                assert_eq!(kept.state(), "approved", "{name}");
            }
        }
        if let Some(grant) = &known.grant {
            assert_eq!(
                count(Event::GrantGiven, grant, |entry| &entry.grant),
                1,
                "{name}"
            );
            let id = GrantId(grant.clone());
            let kept = store.grant(&id).await.unwrap().unwrap();
            let revoked = count(Event::GrantRevoked, grant, |entry| &entry.grant);
            assert_eq!(kept.state() == "revoked", revoked == 1, "{name}");
            assert!(revoked == 1 || !known.is_revoked, "{name}");
            assert!(revoked == 0 || known.may_be_revoked, "{name}");
        }
    }
    store.close().await;
}

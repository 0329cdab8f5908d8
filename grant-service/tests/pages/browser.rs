//! The pages in headless Chromium. What they must be is checked there, by `host-tests/page/grants.mjs`; here is the world that it looks at.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hallpass_grants::life::{Person, Policy};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::world::{World, person, policy};

/// So short that a browser can watch a grant's end.
const SHORT: Duration = Duration::from_secs(8);

/// The same rules, and a short grant to watch.
fn rules() -> Policy {
    let mut policy = policy();
    let mut short = policy.rules[0].clone();
    "short".clone_into(&mut short.resource);
    "A short visit".clone_into(&mut short.title);
    short.max_duration = SHORT;
    short.default_duration = SHORT;
    policy.rules.push(short);
    policy
}

fn headers(person: &Person) -> Value {
    json!({
        "x-hallpass-subject": person.id.subject,
        "x-hallpass-issuer": person.id.issuer,
        "x-hallpass-email": person.email,
        "x-hallpass-groups": person.groups.join(","),
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and Node: make test-page"]
async fn the_pages_are_good_to_use_and_nothing_in_them_runs_or_loads_that_is_not_theirs() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = format!("http://{}", listener.local_addr().unwrap());
    let world = World::real(&home, rules()).await;
    let service = world
        .router
        .clone()
        .into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(axum::serve(listener, service).into_future());
    let people: Map<_, _> = [
        person("alice", &["dev", "sre"]),
        person("bob", &["dev"]),
        person("lena", &["lead"]),
        person("otto", &["lead"]),
        person("ada", &["security"]),
        person("nina", &[]),
    ]
    .iter()
    .map(|person| (person.id.subject.clone(), headers(person)))
    .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let checked = Command::new("node")
        .arg(root.join("host-tests/page/grants.mjs"))
        .arg(&home)
        .arg(root.join("target/page/grants"))
        .arg(Value::Object(people).to_string())
        .kill_on_drop(true)
        .status()
        .await
        .expect("Node runs");
    server.abort();
    assert!(checked.success(), "the browser found something, see above");
}

//! A configuration that takes another's place while requests are open: each is judged by the one under which it came.

use std::thread;
use std::time::Duration;

use hallpass_demo::grants::GrantService;
use hallpass_demo::idp::IdentityProvider;
use hallpass_demo::upstream::Upstream;
use hallpass_envoy_tests::Setup;
use serde_json::json;

use crate::world::{token, wait_until};

/// How long anything in here may take. What Envoy takes until it lets go of what was replaced is told by its command.
const PATIENCE: Duration = Duration::from_secs(40);
/// Of so many connections each worker has some.
const LOOKS: usize = 20;
/// How many replaced configurations still have connections, or time for them.
const DRAINING: [&str; 2] = [
    "listener_manager.total_filter_chains_draining",
    "listener_manager.total_listeners_draining",
];

#[test]
fn a_request_that_waits_is_judged_by_the_configuration_under_which_it_came_though_another_took_its_place()
 {
    let upstream = Upstream::start(0).unwrap();
    let idp = IdentityProvider::start(0).unwrap();
    let grants = GrantService::start(0).unwrap();
    let setup = || {
        Setup::shipped()
            .cluster("upstream", upstream.address())
            .cluster("idp", idp.address())
            .cluster("grants", grants.address())
            .plugin(|plugin| plugin["grants"]["service"]["timeout"] = json!("25s"))
    };
    let envoy = setup().start_replaceable();
    let proxy = envoy.proxy();
    let profile = || proxy.get("/me").token(&token("alice")).send();
    let orders = |user: &str| proxy.get("/orders/1").token(&token(user)).send();
    assert_eq!(profile().status, 200);
    for user in ["alice", "bob"] {
        grants.give(user, "orders", "read", 600);
    }
    grants.hold();

    thread::scope(|scope| {
        let waiting = scope.spawn(|| orders("alice"));
        wait_until("alice's question is asked", PATIENCE, || {
            grants.calls_for("alice").len() == 1
        });
        envoy.replace(setup().plugin(|plugin| {
            for resource in plugin["resources"].as_array_mut().unwrap() {
                resource["access"] = json!("deny");
            }
        }));
        // Each connection may reach another worker, and one of them has what alice waits for.
        let closed_to_all = || (0..LOOKS).all(|_| profile().status == 403);
        wait_until("every worker has the new one", PATIENCE, closed_to_all);
        assert_eq!(profile().verdict().1.as_deref(), Some("resource_closed"));
        grants.release();
        let answer = waiting.join().unwrap();
        assert_eq!(
            answer.received("x-hallpass-subject").as_deref(),
            Some("alice")
        );
    });

    let remembered = || proxy.stat("wasmcustom.hallpass.tokens.entries");
    assert!(remembered() > 0);
    wait_until("nothing drains any longer", PATIENCE, || {
        DRAINING.iter().all(|name| proxy.stat(name) == 0)
    });
    wait_until("what it remembered is forgotten", PATIENCE, || {
        remembered() == 0
    });
    for user in ["alice", "bob"].repeat(LOOKS) {
        assert_eq!(orders(user).verdict().1.as_deref(), Some("resource_closed"));
    }
    assert_eq!(grants.calls(), 1, "what is closed asks nobody");
}

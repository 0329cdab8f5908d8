//! People at the grant service through the hardened proxy: the filter tells it who has signed in, and it takes nobody else's word.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use hallpass_demo::grants::GrantService;
use hallpass_demo::idp::IdentityProvider;
use hallpass_demo::upstream::Upstream;
use hallpass_envoy_tests::{GrantProgram, Proxy, Request};
use serde_json::{Value, json};

use super::serving;
use crate::world::{token, wait_until};

const HOST: &str = "grants.example";
const PAGE: &str = "/grants";

/// The grant service behind the filter. It knows nobody's keys.
struct World {
    proxy: Proxy,
    grants: GrantProgram,
    upstream: Upstream,
    _idp: IdentityProvider,
}

impl World {
    fn new(trusted: &str) -> Self {
        let upstream = Upstream::start(0).unwrap();
        let idp = IdentityProvider::start(0).unwrap();
        let grants = GrantProgram::start(idp.address(), |config| behind_a_proxy(config, trusted));
        let places = [upstream.address(), idp.address(), grants.address()];
        Self {
            proxy: serving(places, |setup| setup),
            grants,
            upstream,
            _idp: idp,
        }
    }

    fn page(&self) -> Request {
        self.proxy.get(PAGE).header("host", HOST)
    }
}

fn behind_a_proxy(config: &mut Value, trusted: &str) {
    let members = config.as_object_mut().expect("an object");
    members.remove("providers");
    members.remove("sign_in_url");
    config["identity_headers"] = json!({ "trusted_proxies": [trusted] });
    config["public_url"] = json!(format!("https://{HOST}"));
}

#[test]
fn people_reach_the_grant_service_through_the_filter_and_are_who_their_token_says() {
    let world = World::new("127.0.0.1");
    let alice = world.page().token(&token("alice")).send();
    assert_eq!(alice.status, 200, "{alice:?}");
    assert!(alice.body.contains("alice@example.com"), "{alice:?}");

    let spoofed = world
        .page()
        .token(&token("alice"))
        .header("x-hallpass-subject", "ada")
        .header("x-hallpass-groups", "security")
        .send();
    assert!(spoofed.body.contains("alice@example.com"), "{spoofed:?}");
    let record = world
        .proxy
        .get("/record")
        .header("host", HOST)
        .token(&token("alice"))
        .header("x-hallpass-groups", "security")
        .send();
    assert_eq!(record.status, 403, "{record:?}");
    assert_eq!(world.upstream.served(PAGE), 0);
}

#[test]
fn nobody_reaches_the_grant_services_pages_unnamed() {
    let world = World::new("127.0.0.1");
    let spoofed = world.page().header("x-hallpass-subject", "ada").send();
    assert_eq!(
        spoofed.verdict(),
        (401, Some("token_missing".to_owned())),
        "{spoofed:?}"
    );
}

/// A form that begins and does not end until it is dropped.
fn slow_form(proxy: &Proxy, token: &str) -> TcpStream {
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    let beginning = format!(
        "POST {PAGE} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{"
    );
    client.write_all(beginning.as_bytes()).unwrap();
    client
}

#[test]
fn forms_that_somebody_sends_slowly_keep_no_question_from_its_answer() {
    /// As many connections as the circuit breaker of either cluster lets through.
    const ALL: u64 = 64;

    let upstream = Upstream::start(0).unwrap();
    let idp = IdentityProvider::start(0).unwrap();
    let grants = GrantService::start(0).unwrap();
    let places = [upstream.address(), idp.address(), grants.address()];
    let proxy = serving(places, |setup| setup);
    let mallory = token("mallory");
    let forms: Vec<TcpStream> = (0..ALL + 6).map(|_| slow_form(&proxy, &mallory)).collect();
    wait_until(
        "all connections for forms are taken",
        Duration::from_secs(15),
        || {
            let taken = ["grants", "grants_pages"]
                .map(|cluster| proxy.stat(&format!("cluster.{cluster}.upstream_rq_active")));
            taken.iter().sum::<u64>() >= ALL
        },
    );
    let asked = proxy.get("/orders/1").token(&token("alice")).send();
    assert_eq!(asked.verdict(), (403, Some("grant_denied".to_owned())));
    assert_eq!(grants.calls(), 1);
    drop(forms);
}

#[test]
fn identity_headers_from_elsewhere_are_nobodys_word() {
    let world = World::new("192.0.2.1");
    let through = world.page().token(&token("alice")).send();
    assert_eq!(through.status, 401, "{through:?}");
    let url = format!("http://{}{PAGE}", world.grants.address());
    let mut straight = Request::agent()
        .get(url)
        .header("x-hallpass-subject", "ada")
        .header("x-hallpass-issuer", "https://idp.example")
        .header("x-hallpass-groups", "security")
        .call()
        .unwrap();
    let told = straight.body_mut().read_to_string().unwrap();
    assert_eq!(straight.status().as_u16(), 401, "{told}");
}

//! `hallpass explain` at its edges; what it decides is the matter of the decision table.

mod program;

use hallpass_tokens::{NOW, SigningKey, TokenBuilder, jwks};
use serde_json::{Value, json};
use tempfile::TempDir;

use program::{Run, file, run, run_unread};

const AT: &str = "2026-09-21T14:13:20Z";

struct World {
    folder: TempDir,
    arguments: Vec<String>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = json!({
            "providers": [{
                "name": "corp",
                "issuer": hallpass_tokens::ISSUER,
                "audiences": [hallpass_tokens::AUDIENCE],
                "jwks": { "remote": { "cluster": "idp", "uri": "/jwks.json" } },
            }],
            "resources": [
                { "name": "profile", "match": { "paths": ["/me"] }, "access": "identity" },
                { "name": "orders", "match": { "paths": ["/orders/{*rest}"] }, "access": "grant", "action": "read" },
            ],
            "grants": { "service": { "cluster": "grants", "headers": { "authorization": "Bearer s3cret" } } },
        });
        let config = file(&folder, "config.json", &config.to_string());
        let arguments = ["--config", &config, "--at", AT].map(str::to_owned).into();
        Self { folder, arguments }
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&a| a.to_owned()));
        self
    }

    fn keys(self) -> Self {
        let set = jwks(&[&SigningKey::es256("e")]).to_string();
        let path = file(&self.folder, "jwks.json", &set);
        self.with(&["--jwks", &format!("corp={path}")])
    }

    fn token(self, token: TokenBuilder) -> Self {
        let token = token.signed_by(&SigningKey::es256("e"));
        let path = file(&self.folder, "token", &format!("{token}\n"));
        self.with(&["--token", &path])
    }

    fn explain(&self, url: &str) -> Run {
        let mut arguments = self.arguments.clone();
        arguments.extend(["GET".to_owned(), url.to_owned()]);
        run("explain", arguments)
    }
}

fn alice() -> TokenBuilder {
    TokenBuilder::for_user("alice")
}

#[test]
fn what_is_missing_for_a_decision_is_said_and_has_a_status_of_its_own() {
    let told = World::new().token(alice()).explain("https://a.example/me");
    assert_eq!(told.status, 3, "{told:?}");
    assert!(
        told.out.contains("undecided") && told.out.contains("--jwks"),
        "{told:?}"
    );

    let told = World::new()
        .keys()
        .token(alice())
        .explain("https://a.example/orders/7");
    assert_eq!(told.status, 3, "{told:?}");
    assert!(told.out.contains("--grant-reply"), "{told:?}");
    assert!(
        told.out
            .contains(r#""resource":{"id":"orders","type":"http"}"#),
        "the question: {told:?}"
    );
}

#[test]
fn another_decision_than_expected_has_a_status_of_its_own() {
    let world = || World::new().keys().token(alice());
    for (expected, url, status) in [
        ("allow", "https://a.example/me", 0),
        ("deny", "https://a.example/me", 1),
        ("deny", "https://a.example/elsewhere", 0),
        ("allow", "https://a.example/elsewhere", 1),
    ] {
        let told = world().with(&["--expect", expected]).explain(url);
        assert_eq!(told.status, status, "{expected}, {url}: {told:?}");
    }
}

#[test]
fn nothing_of_a_token_a_reply_or_a_url_acts_on_the_terminal() {
    let odd = "a\u{9b}1A\u{1b}]0;b\u{7}\u{202e}c";
    let grant = json!({ "id": "g\u{202e}", "resource": odd, "actions": ["read"], "exp": NOW + 60 });
    let tokens = [
        alice().claim("grants", json!([grant])),
        alice().claim("aud", json!([odd, hallpass_tokens::AUDIENCE])),
        alice().claim("sub", json!(odd)),
        alice().claim("iss", json!(odd)),
        alice().header("typ", json!(odd)),
        alice().header("kid", json!(odd)),
    ];
    let reply =
        json!({ "decision": false, odd: 1, "context": { "access_request": { "form_url": odd } } });
    let orders = "https://a.example/orders/7".to_owned();
    let urls = [
        format!("https://{odd}/orders/7"),
        format!("https://a.example/{odd}"),
    ];
    let tokens = tokens
        .into_iter()
        .map(|token| (Some(token), orders.clone()));
    for (token, url) in tokens.chain(urls.map(|url| (None, url))) {
        for format in [&[][..], &["--json"]] {
            let mut world = World::new().keys().with(format);
            let reply = file(&world.folder, "reply.json", &reply.to_string());
            world = world.with(&["--grant-reply", &reply]);
            if let Some(token) = token.clone() {
                world = world.token(token);
            }
            let told = world.explain(&url);
            assert_eq!(told.status, 0, "{told:?}");
            let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!told.out.contains(acts) && told.err.is_empty(), "{told:?}");
        }
    }
}

#[test]
fn secrets_of_the_configuration_and_the_request_are_not_shown() {
    let world = World::new().keys().token(alice()).with(&[
        "--header",
        "cookie: session=s3cret",
        "--header",
        "x-key: s3cret",
        "--unreachable",
        "grants",
    ]);
    for url in [
        "https://a.example/orders/7?key=s3cret",
        "https://a.example/%6De?key=s3cret",
    ] {
        let told = world.explain(url);
        assert_eq!(told.status, 0, "{told:?}");
        assert!(!told.out.contains("s3cret"), "{told:?}");
    }
}

#[test]
fn a_configuration_with_faults_decides_nothing() {
    let world = World::new();
    file(
        &world.folder,
        "config.json",
        r#"{"resources":[{"name":"a","access":"open"}]}"#,
    );
    let told = world.explain("https://a.example/");
    assert_eq!(told.status, 2, "{told:?}");
    assert!(told.err.contains("resources[0].access"), "{told:?}");
}

#[test]
fn each_fault_of_a_configuration_has_a_line_of_its_own_with_its_place() {
    let world = World::new();
    let text =
        "{\"mode\":\"a\\nb\u{202e}\",\n\"resources\":[{\"name\":\"a\",\"access\":\"open\"}]}";
    let path = file(&world.folder, "config.json", text);
    let told = world.explain("https://a.example/");
    assert_eq!((told.status, told.out.as_str()), (2, ""), "{told:?}");
    let checked = run("check", [&path]);
    assert!(checked.out.lines().count() > 1, "{checked:?}");
    assert!(!told.err.contains('\u{202e}'), "others' text: {told:?}");
    let told: Vec<&str> = told.err.lines().skip(1).collect();
    assert_eq!(told, checked.out.lines().collect::<Vec<_>>());

    let world = world.with(&["--json"]);
    let told = world.explain("https://a.example/");
    assert_eq!(told.status, 2, "{told:?}");
    let checked = run("check", ["--json", &path]);
    assert_eq!(told.out, checked.out, "for scripts");
}

#[test]
fn keys_for_a_provider_that_is_not_there_are_refused_with_those_that_are() {
    let world = World::new().with(&["--jwks", "nope=jwks.json"]);
    let told = world.explain("https://a.example/me");
    assert_eq!(told.status, 2, "{told:?}");
    let said = "no provider is named nope; the configuration has corp";
    assert!(told.err.contains(said), "{told:?}");
}

#[test]
fn a_file_of_keys_may_have_an_equals_sign_in_its_name() {
    let world = World::new();
    let set = jwks(&[&SigningKey::es256("e")]).to_string();
    let path = file(&world.folder, "a=b.json", &set);
    let told = world.token(alice()).with(&["--jwks", &path]);
    let told = told.explain("https://a.example/me");
    assert!(told.out.contains("allow"), "{told:?}");
}

#[test]
fn a_time_in_another_form_is_told_by_an_example_of_the_right_one() {
    let mut world = World::new();
    let at = world.arguments.last_mut().expect("the time");
    *at = "yesterday".to_owned();
    let told = world.explain("https://a.example/me");
    assert_eq!(told.status, 2, "{told:?}");
    assert!(told.err.contains("2026-11-23T20:34:08Z"), "{told:?}");
}

#[test]
fn a_reader_that_has_gone_away_changes_nothing_of_the_decisions_status() {
    let world = || World::new().keys().token(alice());
    for (arguments, status) in [
        (&["--expect", "allow"][..], 0),
        (&["--expect", "deny"], 1),
        (&["--expect", "deny", "--json"], 1),
    ] {
        let world = world().with(arguments);
        let url = ["GET", "https://a.example/me"].map(str::to_owned);
        let told = run_unread("explain", world.arguments.iter().chain(&url));
        assert_eq!(told.status, status, "{arguments:?}: {told:?}");
        assert_eq!(told.err, "", "{arguments:?}");
    }
}

#[test]
fn a_token_is_put_where_its_issuer_has_its_tokens() {
    let world = World::new().keys().token(alice()).with(&["--json"]);
    let path = world.folder.path().join("config.json");
    let config = std::fs::read_to_string(&path).expect("it is there");
    let mut config: Value = serde_json::from_str(&config).expect("JSON");
    config["providers"][0]["token_sources"] = json!([{ "cookie": "session" }]);
    file(&world.folder, "config.json", &config.to_string());
    let told: Value =
        serde_json::from_str(&world.explain("https://a.example/me").out).expect("JSON");
    assert_eq!(told["decision"], "allow", "{told:#}");
    assert_eq!(told["upstream"]["removed"], json!(["cookie"]));
}

#[test]
fn the_condition_that_does_not_hold_is_named() {
    let mut config = json!({
        "resources": [{ "name": "health", "match": { "paths": ["/healthz"] }, "access": "public", "conditions": {
            "source_cidrs": ["203.0.113.0/24"],
            "time_windows": [{ "from": "08:00", "to": "18:00", "time_zone": "Europe/Berlin" }],
        } }],
        "trusted_hops": 1,
    });
    let told = |config: &Value, forwarded: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let config = file(&folder, "config.json", &config.to_string());
        let forwarded = format!("x-forwarded-for: {forwarded}");
        let arguments = [
            "--config",
            &config,
            "--at",
            AT,
            "--source-ip",
            "10.0.0.2",
            "--header",
            &forwarded,
            "GET",
            "https://a.example/healthz",
        ];
        run("explain", arguments).out
    };
    let there = told(&config, "203.0.113.9, 10.0.0.2");
    assert!(
        there.contains("all of the resource's hold until 2026-09-21T16:00:00.000Z"),
        "{there}"
    );
    let elsewhere = told(&config, "192.0.2.1, 10.0.0.2");
    assert!(
        elsewhere.contains("does not hold: the source address is in one of 203.0.113.0/24"),
        "{elsewhere}"
    );
    config["trusted_hops"] = json!(2);
    let unknown = told(&config, "203.0.113.9, 10.0.0.2");
    assert!(
        unknown.contains("cannot be told: the source address is in one of"),
        "{unknown}"
    );
}

#[test]
fn a_grant_in_the_token_counts_where_nothing_is_taken_back_and_not_while_nobody_can_know() {
    let following = |world: World| {
        let path = world.folder.path().join("config.json");
        let text = std::fs::read_to_string(&path).expect("the configuration");
        let mut config: Value = serde_json::from_str(&text).expect("JSON");
        config["grants"]["service"]["revocations"] = json!({});
        std::fs::write(&path, config.to_string()).expect("the folder is ours");
        world
    };
    let grant = || hallpass_tokens::Grant::new("orders", &["read"]).until(NOW + 60);
    let world = || following(World::new().keys().token(alice().grant(grant())));
    let told = world().explain("https://a.example/orders/7");
    assert_eq!(told.status, 0, "{told:?}");
    assert!(
        told.out.contains("grant_embedded") && told.out.contains("taken back"),
        "{told:?}"
    );
    let told = world()
        .with(&["--unreachable", "grants"])
        .explain("https://a.example/orders/7");
    assert!(told.out.contains("grant_service_unavailable"), "{told:?}");
}

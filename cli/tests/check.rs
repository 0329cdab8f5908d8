//! `hallpass check`: what it finds, and where it says that it is.

mod program;

use std::path::Path;

use serde_json::{Value, json};

use program::{file, run, run_unread, run_with_input};

fn root(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(path).to_str().expect("text").to_owned()
}

fn sound() -> Value {
    json!({
        "providers": [{
            "name": "corp",
            "issuer": "https://idp.example",
            "audiences": ["orders-api"],
            "jwks": { "remote": { "cluster": "idp", "uri": "/jwks.json" } },
        }],
        "resources": [
            { "name": "health", "match": { "paths": ["/healthz"] }, "access": "public" },
            { "name": "orders", "match": { "paths": ["/orders/{*rest}"] }, "access": "grant" },
        ],
        "grants": {
            "service": { "cluster": "grants" },
            "request_url": "https://grants.example/request?resource={resource}",
        },
    })
}

#[test]
fn ten_faulty_configurations_are_each_told_with_the_place_of_the_fault() {
    for (pointer, value, path) in [
        ("/mode", json!("off"), "mode"),
        ("/providers/0/issuer", json!(""), "providers[0].issuer"),
        (
            "/providers/0/audiences",
            json!([]),
            "providers[0].audiences",
        ),
        (
            "/providers/0/algorithms",
            json!(["RS256", "HS256"]),
            "providers[0].algorithms[1]",
        ),
        (
            "/providers/0/clock_skew",
            json!("1h"),
            "providers[0].clock_skew",
        ),
        ("/providers/0/jwks", json!({}), "providers[0].jwks"),
        (
            "/resources/1/access",
            json!("granted"),
            "resources[1].access",
        ),
        (
            "/resources/1/match/paths",
            json!(["/orders/../x"]),
            "resources[1].match.paths[0]",
        ),
        (
            "/grants/service/timeout",
            json!(500),
            "grants.service.timeout",
        ),
        (
            "/identity_headers",
            json!({ "subject": "authorization" }),
            "identity_headers.subject",
        ),
    ] {
        let mut config = sound();
        let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
        config.pointer_mut(parent).expect("a place")[member] = value;
        let text = serde_json::to_string_pretty(&config).expect("JSON");

        let told = run_with_input("check", ["--json", "-"], &text);
        assert_eq!(told.status, 1, "{told:?}");
        let told: Value = serde_json::from_str(&told.out).expect("JSON");
        let faults = told["configurations"][0]["faults"]
            .as_array()
            .expect("faults");
        assert_eq!(faults.len(), 1, "{told:#}");
        assert_eq!(faults[0]["path"], path);
        let line = faults[0]["line"].as_u64().expect("a line");
        let line = text
            .lines()
            .nth(usize::try_from(line).expect("small") - 1)
            .expect("that line");
        let name = path.rsplit('.').next().expect("a name");
        // An element stands below the line of its list.
        assert!(name.ends_with(']') || line.contains(name), "{path}: {line}");

        let plain = run_with_input("check", ["-"], &text);
        assert!(
            plain.out.contains(path) && plain.out.contains("expected"),
            "{plain:?}"
        );
        assert!(
            !plain.out.contains('\u{1b}'),
            "colours for a file: {plain:?}"
        );
    }
}

#[test]
fn the_shipped_configurations_are_clean() {
    for file in [
        "envoy.yaml",
        "envoy-hardened.yaml",
        "istio-wasmplugin.yaml",
        "envoy-gateway-extension-policy.yaml",
    ] {
        let path = root(&format!("envoy-config/{file}"));
        let told = run("check", ["--strict", "--json", &path]);
        assert_eq!(told.status, 0, "{told:?}");
        let told: Value = serde_json::from_str(&told.out).expect("JSON");
        assert_eq!(told["configurations"].as_array().map(Vec::len), Some(1));
        assert_eq!(told["clean"], true);
    }
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = sound();
    config["mode"] = json!("observe");
    let faulty = file(&folder, "faulty.json", &config.to_string());
    let absent = folder.path().join("absent.json").display().to_string();
    let told = run("check", [&absent, &faulty]);
    assert_eq!(told.status, 2, "{told:?}");
    assert!(told.out.contains("fault mode"), "{told:?}");
    assert!(told.err.contains("absent.json"), "{told:?}");
}

#[test]
fn a_fault_within_envoys_configuration_has_the_line_of_that_file() {
    let shipped = std::fs::read_to_string(root("envoy-config/envoy.yaml")).expect("the file");
    let faulty = shipped.replace(r#""failure_mode": "deny""#, r#""failure_mode": "open""#);
    let line = faulty
        .lines()
        .position(|line| line.contains(r#""open""#))
        .expect("the fault")
        + 1;
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(&folder, "envoy.yaml", &faulty);
    let told = run("check", [&path]);
    assert_eq!(told.status, 1);
    let expected = format!("{path}:{line}:51 fault grants.service.failure_mode");
    assert!(told.out.contains(&expected), "{expected}\n{told:?}");
}

#[test]
fn warnings_fail_only_where_that_is_wanted() {
    let mut config = sound();
    config["grants"]["service"]["failure_mode"] = json!("allow");
    let text = config.to_string();
    let told = run_with_input("check", ["-"], &text);
    assert_eq!(told.status, 0, "{told:?}");
    assert!(
        told.out.contains("warning grants.service.failure_mode"),
        "{told:?}"
    );
    assert_eq!(run_with_input("check", ["--strict", "-"], &text).status, 1);
    assert_eq!(
        run_with_input("check", ["--strict", "-"], &sound().to_string()).status,
        0
    );
}

#[test]
fn what_cannot_be_read_or_is_no_configuration_has_a_status_of_its_own() {
    for (input, arguments) in [("a: 1", "-"), ("", "/nowhere/config.json")] {
        let told = run_with_input("check", [arguments], input);
        assert_eq!(told.status, 2, "{told:?}");
        assert!(told.err.contains("error:"), "{told:?}");
    }
    assert_eq!(run_with_input("check", ["-"], "{").status, 1);
    assert_eq!(run_with_input("check", ["-"], "").status, 1);
}

#[test]
fn a_file_without_a_configuration_is_told_with_what_was_looked_for() {
    let told = run_with_input("check", ["-"], "a: 1");
    for expected in [
        "name, root_id, vm_id or file name",
        "WasmPlugin",
        "EnvoyExtensionPolicy",
        "JSON",
    ] {
        assert!(told.err.contains(expected), "{expected}: {told:?}");
    }
}

#[test]
fn a_reader_that_has_gone_away_changes_nothing_of_the_verdicts_status() {
    let folder = tempfile::tempdir().expect("a folder");
    let clean = file(&folder, "clean.json", &sound().to_string());
    let faulty = file(&folder, "faulty.json", "{");
    for (file, status) in [(&clean, 0), (&faulty, 1)] {
        for arguments in [&[file.as_str()][..], &["--json", file]] {
            let told = run_unread("check", arguments);
            assert_eq!(told.status, status, "{arguments:?}: {told:?}");
            assert_eq!(told.err, "", "{arguments:?}");
        }
    }
    let absent = folder.path().join("absent.json").display().to_string();
    let told = run_unread("check", [&faulty, &absent]);
    assert_eq!(told.status, 2, "{told:?}");
    assert!(told.err.contains("absent.json"), "{told:?}");
    assert_eq!(run_unread("schema", [""; 0]).status, 0);
}

#[test]
fn the_schema_that_is_printed_is_the_shipped_one() {
    let shipped = std::fs::read_to_string(root("envoy-config/hallpass.schema.json")).expect("it");
    let told = run("schema", [""; 0]);
    assert_eq!((told.status, told.out), (0, shipped));
}

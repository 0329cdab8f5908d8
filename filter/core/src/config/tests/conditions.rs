//! Conditions as they are written: what is taken, and every fault with its place.

use super::*;
use crate::policy::Resource;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The faults of a configuration with one resource of these conditions.
fn faults_of(access: &str, conditions: &Value) -> Vec<String> {
    let mut config = sound();
    config["resources"] = json!([{ "name": "r", "access": access, "conditions": conditions }]);
    match Config::parse(config.to_string().as_bytes()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn assert_faults(access: &str, conditions: &Value, expected: &[(&str, &str)]) {
    let shown = conditions.to_string();
    let found = faults_of(access, conditions);
    assert_eq!(found.len(), expected.len(), "{shown}: {found:#?}");
    for (fault, (place, text)) in found.iter().zip(expected) {
        let place = format!("`resources[0].conditions{place}`");
        assert!(fault.starts_with(&place), "{fault} is not at {place}");
        assert!(fault.contains(text), "{fault} does not say {text}");
    }
}

#[test]
fn the_whole_vocabulary_is_taken() {
    let conditions = json!({
        "source_cidrs": ["10.0.0.0/8", "2001:db8::/32"],
        "time_windows": [
            { "days": ["mon-fri", "sun"], "from": "22:00", "to": "24:00", "time_zone": "Europe/Berlin" },
            { "from": "22:00", "to": "06:00", "time_zone": "UTC" },
        ],
        "claims": { "groups": ["oncall"], "/realm/level": 3, "https://corp.example/ops": true },
        "acr_values": ["mfa"], "max_auth_age": "1h",
        "all_of": [
            { "claim": "/realm_access/roles", "contains": "ops" },
            { "claim": "level", "one_of": [2, 3] },
            { "claim": "email", "prefix": "ops-" },
            { "claim": "act", "present": false },
            { "header": "X-Region", "equals": "eu" },
            { "header": "x-tags", "contains": "a" },
            { "header": "x-debug", "present": false },
            { "certificate": "uri_san", "prefix": "spiffe://corp/ops/" },
            { "certificate": "dns_san", "present": true },
            { "certificate": "sha256", "one_of": ["AB:".repeat(31) + "AB", "cd".repeat(32)] },
        ],
        "any_of": [
            { "source_cidrs": ["192.0.2.0/24"] },
            { "all_of": [{ "not": { "any_of": [{ "claim": "x", "equals": "y" }] } }] },
        ],
        "not": { "time_windows": [{ "days": ["sat"], "from": "02:00", "to": "04:00", "time_zone": "UTC" }] },
    });
    assert_eq!(faults_of("grant", &conditions), Vec::<String>::new());
}

#[test]
fn every_fault_in_conditions_is_told_with_its_place() {
    for (conditions, expected) in [
        (json!({}), &[("", "at least one condition")][..]),
        (json!([]), &[("", "an object")]),
        (
            json!({ "when": 1, "source_cidrs": [] }),
            &[(".when", "one of"), (".source_cidrs", "1 to 256")],
        ),
        (
            json!({ "source_cidrs": ["10.1.2.3/8", "10.0.0.1", 7] }),
            &[
                (".source_cidrs[2]", "a string"),
                (".source_cidrs[0]", "`10.0.0.0/8`"),
                (".source_cidrs[1]", "`10.0.0.1/32`"),
            ],
        ),
        (
            json!({ "time_windows": [
                { "days": ["fr"], "from": "8:00", "to": "24:01", "time_zone": "Mars/Base" },
                { "days": [], "from": "08:00", "to": "08:00" },
                { "from": "08:00", "to": "08:00", "time_zone": "UTC" },
                { "from": "24:00", "to": "08:00", "time_zone": "UTC", "until": 1 },
            ] }),
            &[
                (".time_windows[0].days[0]", "`mon-fri`"),
                (".time_windows[0].from", "`00:00` to `24:00`"),
                (".time_windows[0].to", "`00:00` to `24:00`"),
                (".time_windows[0].time_zone", "`Europe/Berlin`"),
                (".time_windows[1].days", "1 to 256"),
                (".time_windows[1].time_zone", "found nothing"),
                (".time_windows[2].to", "another time than `from`"),
                (".time_windows[3].until", "one of"),
                (".time_windows[3].to", "another time than `from`"),
            ],
        ),
        (
            json!({ "claims": { "": ["a"], "groups": [], "level": [null], "/a~": 1 } }),
            &[
                (".claims.", "JSON pointer"),
                (".claims./a~", "JSON pointer"),
                (".claims.groups", "1 to 256 values"),
                (".claims.level", "a string, a number"),
            ],
        ),
        (
            json!({ "claims": {} }),
            &[(".claims", "at least one claim")],
        ),
        (
            json!({ "acr_values": ["m f a"] }),
            &[(".acr_values", "visible ASCII")],
        ),
        (
            json!({ "acr_values": [], "max_auth_age": "500ms" }),
            &[
                (".acr_values", "1 to 256"),
                (".max_auth_age", "whole seconds"),
            ],
        ),
        (
            json!({ "max_auth_age": "0s" }),
            &[(".max_auth_age", "whole seconds")],
        ),
        (
            json!({ "not": {} }),
            &[(".not", "exactly one of `source_cidrs`")],
        ),
    ] {
        assert_faults("identity", &conditions, expected);
    }
}

#[test]
fn every_fault_in_a_test_of_a_claim_header_or_certificate_is_told_with_its_place() {
    let conditions = json!({ "all_of": [
                { "claim": "a" },
                { "claim": "a", "equals": 1, "prefix": "x" },
                { "claim": "a", "header": "b", "equals": 1 },
                { "claim": "a", "equals": [1] },
                { "claim": "a", "prefix": "" },
                { "source_cidrs": ["10.0.0.0/8"], "equals": 1 },
                { "header": "a b", "equals": "x" },
                { "header": "x-hallpass-subject", "equals": "x" },
                { "header": "x_hallpass_groups", "contains": "x" },
                { "header": "x-a", "equals": 1 },
                { "header": ":path", "prefix": "/x" },
                { "certificate": "subject", "equals": "x" },
                { "certificate": "sha256", "equals": "abc" },
                { "certificate": "sha256", "prefix": "ab" },
                { "certificate": "uri_san", "present": false },
            ] });
    let expected = &[
        (".all_of[0]", "exactly one of `present`"),
        (".all_of[1]", "found `equals` and `prefix`"),
        (".all_of[2]", "exactly one of `source_cidrs`"),
        (".all_of[3].equals", "a string, a number"),
        (".all_of[4].prefix", "not empty"),
        (".all_of[5]", "no test"),
        (".all_of[6].header", "clients may send"),
        (".all_of[7].header", "clients may send"),
        (".all_of[8].header", "clients may send"),
        (".all_of[9].equals", "a string"),
        (".all_of[10].header", "clients may send"),
        (".all_of[11].certificate", "`uri_san`"),
        (".all_of[12].equals", "64 hexadecimal digits"),
        (".all_of[13].prefix", "`equals`"),
        (".all_of[14].present", "`true`"),
    ];
    assert_faults("identity", &conditions, expected);
}

#[test]
fn nobody_is_asked_on_a_public_resource_so_nothing_about_them_is_a_condition() {
    let fits =
        json!({ "source_cidrs": ["10.0.0.0/8"], "not": { "header": "x-a", "present": true } });
    assert_eq!(faults_of("public", &fits), Vec::<String>::new());
    let conditions = json!({
        "claims": { "groups": ["a"] }, "acr_values": ["mfa"], "max_auth_age": "1h",
        "any_of": [{ "not": { "claim": "a", "present": true } }],
    });
    assert_faults(
        "public",
        &conditions,
        &[
            (".acr_values", "`public`"),
            (".max_auth_age", "`public`"),
            (".claims.groups", "`public`"),
            (".any_of[0].not.claim", "`public`"),
        ],
    );
}

#[test]
fn conditions_are_bounded_in_number_and_depth() {
    let claim = || json!({ "claim": "a", "present": true });
    let nested = |depth| (1..depth).fold(claim(), |inner, _| json!({ "not": inner }));
    assert_eq!(
        faults_of("grant", &json!({ "not": nested(8) })),
        Vec::<String>::new()
    );
    let deeper = format!(".not{}", ".not".repeat(8));
    assert_faults(
        "grant",
        &json!({ "not": nested(9) }),
        &[(&deeper, "up to 8 deep")],
    );
    assert_eq!(faults_of("grant", &json!({ "not": nested(40) })).len(), 1);
    let many = |count| json!({ "any_of": vec![claim(); count] });
    assert_eq!(faults_of("grant", &many(64)), Vec::<String>::new());
    assert_faults("grant", &many(66), &[(".any_of[64]", "at most 64")]);
    let networks: Vec<String> = (0..=255).map(|n| format!("10.{n}.0.0/16")).collect();
    assert_eq!(
        faults_of("grant", &json!({ "source_cidrs": networks })),
        Vec::<String>::new()
    );
    let values: Vec<usize> = (0..257).collect();
    assert_faults(
        "grant",
        &json!({ "claims": { "a": values } }),
        &[(".claims.a", "1 to 256")],
    );
}

#[test]
fn hops_are_bounded() {
    for (hops, is_taken) in [
        (json!(0), true),
        (json!(16), true),
        (json!(17), false),
        (json!(-1), false),
    ] {
        let mut config = sound();
        config["trusted_hops"] = hops.clone();
        let parsed = Config::parse(config.to_string().as_bytes());
        assert_eq!(parsed.is_ok(), is_taken, "{hops}");
    }
}

#[test]
fn what_conditions_need_of_the_host_is_known_before_the_first_request() {
    let policy = |conditions: Value| {
        let mut config = sound();
        config["resources"] =
            json!([{ "name": "r", "access": "public", "conditions": conditions }]);
        Config::parse(config.to_string().as_bytes()).unwrap().policy
    };
    let header = || json!({ "header": "x-a", "present": true });
    for (conditions, source, certificate, time) in [
        (json!({ "not": header() }), false, false, false),
        (
            json!({ "source_cidrs": ["10.0.0.0/8"] }),
            true,
            false,
            false,
        ),
        (
            json!({ "any_of": [header(), { "not": { "source_cidrs": ["10.0.0.0/8"] } }] }),
            true,
            false,
            false,
        ),
        (
            json!({ "all_of": [{ "certificate": "sha256", "present": true }] }),
            false,
            true,
            false,
        ),
        (
            json!({ "time_windows": [{ "from": "08:00", "to": "09:00", "time_zone": "UTC" }] }),
            false,
            false,
            true,
        ),
    ] {
        let shown = conditions.to_string();
        let policy = policy(conditions);
        assert_eq!(policy.needs_source(), source, "{shown}");
        assert_eq!(policy.needs_certificate(), certificate, "{shown}");
        let cuts = policy.iter().any(Resource::cuts_streams);
        assert_eq!(cuts, time, "{shown}");
    }
}

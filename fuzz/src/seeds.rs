//! Seeds that hold keys or signatures, which nobody can write by hand: `cargo run -p hallpass-fuzz --example write_seeds` writes them.

use hallpass_tokens::{SigningKey, jwks, unsigned, with_flipped_signature};
use serde_json::{Value, json};

use crate::world;

/// One file of the folder `seeds`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The target that it is for.
    pub target: &'static str,
    /// The file's name, which begins with how far it gets.
    pub name: String,
    /// What is in it.
    pub content: String,
}

/// Every seed that is made.
pub fn generated() -> Vec<Seed> {
    [tokens(), key_sets(), configurations()].concat()
}

fn seed(target: &'static str, name: &str, content: String) -> Seed {
    Seed {
        target,
        name: name.to_owned(),
        content,
    }
}

fn tokens() -> Vec<Seed> {
    let tokens = world::genuine_tokens();
    let mut seeds: Vec<Seed> = tokens
        .iter()
        .map(|(name, token)| seed("token", &format!("accepted-raw-{name}"), token.clone()))
        .collect();
    let (_, token) = &tokens[tokens.len() - 1];
    let altered = with_flipped_signature(token);
    let others = [
        ("refused-raw-altered", altered.clone()),
        ("refused-raw-unsigned", unsigned(token)),
        (
            "accepted-header",
            format!("authorization: bearer  {token}\ncookie: theme=dark; other=x"),
        ),
        (
            "accepted-cookie",
            format!("cookie: theme=dark;hallpass={token}\nauthorization: Basic YTpi"),
        ),
        (
            "refused-two-tokens",
            format!("authorization: Bearer {token}\nx-token: {altered}\ncookie: a=b; strict=x; c"),
        ),
        (
            "refused-joined",
            format!("authorization: Bearer {token},Bearer {altered}"),
        ),
    ];
    seeds.extend(others.map(|(name, content)| seed("token", name, content)));
    seeds
}

fn key_sets() -> Vec<Seed> {
    let keys = [world::rsa(), world::ec(), world::ed()];
    let mut seeds: Vec<Seed> = keys
        .iter()
        .map(|key| {
            let name = format!("accepted-{}", key.kid());
            seed("jwks", &name, jwks(&[key]).to_string())
        })
        .collect();
    let all: Vec<&SigningKey> = keys.iter().collect();
    seeds.push(seed("jwks", "accepted-all", jwks(&all).to_string()));
    let mut mixed = jwks(&all);
    for bad in [
        json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "secret" }),
        json!({ "kty": "EC", "crv": "P-256K", "x": "AQAB", "y": "AQAB", "key_ops": ["sign"] }),
        json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "enc", "x5c": ["MIIB"] }),
    ] {
        mixed["keys"].as_array_mut().expect("keys").push(bad);
    }
    seeds.push(seed("jwks", "refused-bad-among-good", mixed.to_string()));
    seeds
}

fn configurations() -> Vec<Seed> {
    let pretty = |config: &Value| format!("{config:#}\n");
    let mut faulty = world::configuration();
    faulty["providers"][0]["clock_skew"] = json!("7d");
    faulty["providers"][1]["algorithms"] = json!(["none", 7]);
    faulty["resources"][3]["match"]["paths"] = json!(["/a//b", "/{x}{y}", "/orders/{id}"]);
    faulty["grants"]["service"]["headers"] = json!({ "authorization": "Bearer\n" });
    let mut conditional = world::configuration();
    conditional["trusted_hops"] = json!(2);
    conditional["resources"][0]["conditions"] = json!({
        "source_cidrs": ["10.0.0.0/8", "::/0"],
        "time_windows": [{ "days": ["sat-mon"], "from": "22:00", "to": "06:30", "time_zone": "Europe/Berlin" }],
        "not": { "any_of": [
            { "header": "x-a", "contains": "b" },
            { "certificate": "uri_san", "prefix": "spiffe://x/" },
            { "time_windows": [{ "from": "02:15", "to": "02:45", "time_zone": "Australia/Lord_Howe" }] },
        ] },
    });
    conditional["resources"][1]["conditions"] = json!({
        "claims": { "groups": ["oncall", 7, true], "/realm~1/0": "a" },
        "acr_values": ["mfa"], "max_auth_age": "1h",
        "any_of": [
            { "all_of": [{ "claim": "/a/b", "equals": 1.5 }, { "claim": "c", "present": false }] },
            { "certificate": "sha256", "one_of": ["AB:".repeat(31) + "AB"] },
        ],
    });
    let mut unsound = conditional.clone();
    unsound["resources"][0]["conditions"] = json!({
        "source_cidrs": ["10.1.2.3/8", "10.0.0.1"],
        "time_windows": [{ "days": ["fr"], "from": "08:00", "to": "08:00", "time_zone": "Mars\n" }],
        "not": { "not": { "claim": "/~", "equals": null, "prefix": "" } },
    });
    vec![
        seed("configuration", "accepted-conditions", pretty(&conditional)),
        seed("configuration", "refused-conditions", pretty(&unsound)),
        seed(
            "configuration",
            "accepted-inline",
            pretty(&world::configuration()),
        ),
        seed("configuration", "refused-many-faults", pretty(&faulty)),
    ]
}

//! The loop at the command line: request, approve, in, revoked.

use std::thread;

use serde_json::json;

use crate::service::{Printed, Service, printed, unread};

#[test]
fn access_is_requested_approved_listed_and_revoked() {
    let service = Service::start();
    let asked = service.alice(&[
        "request",
        "orders",
        "read",
        "--for",
        "90m",
        "--reason",
        "OPS-7 look",
    ]);
    assert_eq!(asked.status, 0, "{asked:?}");
    assert!(asked.out.starts_with("pending r-"), "{asked:?}");
    assert!(
        asked.out.contains("waits for 1 of 1 approvals"),
        "{asked:?}"
    );
    assert!(
        asked.err.contains("https://grants.example/requests/r-"),
        "{asked:?}"
    );

    let waiting = service.lena(&["list", "approvals"]);
    let row = waiting.out.lines().nth(1).unwrap();
    for cell in ["pending", "alice", "read orders", "90m", "OPS-7 look"] {
        assert!(row.contains(cell), "{cell}: {waiting:?}");
    }
    let request = row.split_whitespace().nth(1).unwrap();
    let approved = service.lena(&["approve", request]);
    assert_eq!(approved.status, 0, "{approved:?}");
    assert!(
        approved.out.contains("alice may read orders until"),
        "{approved:?}"
    );
    assert_eq!(service.lena(&["list", "approvals"]).out, "");

    let grants = service.alice(&["list", "grants"]);
    let row = grants.out.lines().nth(1).unwrap();
    for cell in ["active", "alice", "read orders", request] {
        assert!(row.contains(cell), "{cell}: {grants:?}");
    }
    let grant = row.split_whitespace().nth(1).unwrap();
    let revoked = service.ada(&["revoke", grant, "--why", "incident 9"]);
    assert!(
        revoked.out.starts_with("revoked: 1 grant ended"),
        "{revoked:?}"
    );
    let grants = service.alice(&["list", "grants"]);
    assert!(grants.out.contains("\nrevoked "), "{grants:?}");
    assert_eq!(service.alice(&["list", "grants", "--live"]).out, "");
}

#[test]
fn scripts_read_json() {
    let service = Service::start();
    let request = service.asked("read");
    let listed = service.alice(&["list", "requests", "--json"]).json();
    assert_eq!(listed["requests"][0]["task"]["id"], request.as_str());
    let waiting = service.lena(&["list", "approvals", "--json"]).json();
    assert_eq!(waiting["requests"][0]["task"]["status"], "pending");
    let denied = service.lena(&["deny", &request, "--why", "not now", "--json"]);
    assert_eq!(denied.json()["task"]["closed"]["why"], "not now");
    let grant = service.granted("read");
    let grants = service.alice(&["list", "grants", "--json"]).json();
    assert_eq!(grants["grants"][0]["id"], grant.as_str());
    let revoked = service.ada(&["revoke", &grant, "--why", "over", "--json"]);
    assert_eq!(revoked.json(), json!({ "ended": 1 }));
}

#[test]
fn the_same_key_is_the_same_request() {
    let service = Service::start();
    let ask = || {
        let arguments = [
            "request",
            "orders",
            "read",
            "--reason",
            "OPS-7",
            "--idempotency-key",
            "k-1",
            "--json",
        ];
        service.alice(&arguments).json()["task"]["id"].clone()
    };
    assert_eq!(ask(), ask());
    let listed = service.alice(&["list", "requests", "--json"]).json();
    assert_eq!(listed["requests"].as_array().unwrap().len(), 1);
}

/// What asking and waiting comes to, when Lena decides so.
fn waited(service: &Service, wait: impl FnOnce() -> Printed + Send, decision: &[&str]) -> Printed {
    thread::scope(|scope| {
        let waiting = scope.spawn(wait);
        let request = loop {
            let waiting = service.lena(&["list", "approvals", "--json"]).json();
            if let Some(id) = waiting["requests"][0]["task"]["id"].as_str() {
                break id.to_owned();
            }
        };
        let mut arguments = vec![decision[0], request.as_str()];
        arguments.extend(&decision[1..]);
        assert_eq!(service.lena(&arguments).status, 0);
        waiting.join().unwrap()
    })
}

#[test]
fn whoever_waits_learns_of_the_decision() {
    let service = Service::start();
    let ask = ["request", "orders", "write", "--reason", "OPS-7", "--wait"];
    for (decision, status, printed_last) in [
        (&["approve"][..], 0, "alice may write orders until"),
        (&["deny", "--why", "not now"][..], 1, "why: not now"),
    ] {
        let waited = waited(&service, || service.alice(&ask), decision);
        assert_eq!(waited.status, status, "{waited:?}");
        assert!(waited.out.contains(printed_last), "{waited:?}");
    }
}

#[test]
fn a_decision_that_is_waited_for_is_the_exit_status_also_if_nobody_reads_it() {
    let service = Service::start();
    let ask = ["request", "orders", "write", "--reason", "OPS-7", "--wait"];
    let ask_for_json = [&ask[..], &["--json"]].concat();
    let approve = &["approve"][..];
    let deny = &["deny", "--why", "not now"][..];
    for (ask, decision, status) in [
        (&ask[..], approve, 0),
        (&ask[..], deny, 1),
        (&ask_for_json[..], deny, 1),
    ] {
        let wait = || unread(service.command("alice", &["dev"], ask));
        let waited = waited(&service, wait, decision);
        assert_eq!(waited.status, status, "{ask:?}: {decision:?}");
    }
}

#[test]
fn a_request_is_denied_with_a_reason_or_taken_back() {
    let service = Service::start();
    let request = service.asked("read");
    let denied = service.lena(&["deny", &request, "--why", "not now"]);
    assert!(denied.out.starts_with("denied r-"), "{denied:?}");
    assert!(denied.out.contains("why: not now"), "{denied:?}");
    let request = service.asked("read");
    let withdrawn = service.alice(&["withdraw", &request]);
    assert!(withdrawn.out.starts_with("cancelled r-"), "{withdrawn:?}");
}

#[test]
fn much_is_taken_back_only_if_it_is_meant() {
    let service = Service::start();
    for what in [
        &["--subject", "alice", "--issuer", "https://idp.example"][..],
        &["--resource", "orders"],
        &["--everything"],
    ] {
        service.granted("read");
        let live = || {
            let grants = service
                .alice(&["list", "grants", "--live", "--json"])
                .json();
            grants["grants"].as_array().unwrap().len()
        };
        let mut arguments = vec!["revoke", "--why", "incident 9"];
        arguments.extend(what);
        let unsure = service.ada(&arguments);
        assert_eq!((unsure.status, live()), (2, 1), "{unsure:?}");
        assert!(unsure.err.contains("say --yes"), "{unsure:?}");
        arguments.push("--yes");
        let sure = service.ada(&arguments);
        assert_eq!((sure.status, live()), (0, 0), "{sure:?}");
    }
}

#[test]
fn whoever_takes_back_what_nobody_holds_is_told_to_check_the_names() {
    let service = Service::start();
    service.granted("read");
    for (what, said) in [
        (
            &["--subject", "alice", "--issuer", "https://nope.example"][..],
            "no grant of subject alice at issuer https://nope.example was live: check the spelling of subject and issuer",
        ),
        (
            &["--subject", "alcie"],
            "no grant of subject alcie was live",
        ),
        (
            &["--resource", "order"],
            "no grant on resource order was live",
        ),
        (
            &["--subject", "alice", "--issuer", "https://idp.example"],
            "",
        ),
        (&["--everything"], ""),
    ] {
        let mut arguments = vec!["revoke", "--why", "incident 9", "--yes"];
        arguments.extend(what);
        let told = service.ada(&arguments);
        assert_eq!(told.status, 0, "{told:?}");
        assert!(told.err.contains(said), "{said}: {told:?}");
        assert_eq!(told.err.is_empty(), said.is_empty(), "{told:?}");
    }
}

#[test]
fn a_token_may_come_from_a_file_which_goes_before_the_variable() {
    let service = Service::start();
    let file = service.file("token");
    let lena = service.command("lena", &["lead"], &[]);
    let token = lena
        .get_envs()
        .find(|(name, _)| *name == "HALLPASS_GRANTS_TOKEN");
    let token = token.unwrap().1.unwrap().to_str().unwrap().to_owned();
    std::fs::write(&file, format!("{token}\n")).unwrap();
    service.asked("read");
    let path = file.to_str().unwrap();
    let list = ["list", "approvals", "--json", "--token-file", path];
    let waiting = printed(service.command("alice", &["dev"], &list)).json();
    assert_eq!(
        waiting["requests"].as_array().unwrap().len(),
        1,
        "it is lena who asks"
    );
}

#[test]
fn what_is_piped_has_no_colour_and_nothing_that_a_terminal_acts_on() {
    let service = Service::start();
    let reason = "OPS-7 \u{202e}drow\u{200b}";
    let arguments = ["request", "orders", "read", "--reason", reason];
    assert_eq!(service.alice(&arguments).status, 0);
    for arguments in [&["list", "approvals"][..], &["list", "approvals", "--json"]] {
        let printed = service.lena(arguments);
        let acts = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
        assert!(!printed.out.contains(acts), "{printed:?}");
        assert!(printed.out.contains("OPS-7"), "{printed:?}");
    }
}

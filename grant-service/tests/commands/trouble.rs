//! What goes wrong, its exit status, and what is said about it.

use std::net::TcpListener;

use crate::service::{Service, bare, printed};

#[test]
fn what_the_service_refuses_ends_with_1_and_its_reason() {
    let service = Service::start();
    let request = service.asked("read");
    for (printed, said) in [
        (service.alice(&["approve", &request]), "not an approver"),
        (
            service.alice(&["request", "orders", "write", "--reason", "please"]),
            "a ticket, such as OPS-7",
        ),
        (
            service.alice(&["request", "orders", "read", "--reason", "OPS-8"]),
            "withdraw the request",
        ),
        (
            service.alice(&[
                "request", "orders", "write", "--for", "9h", "--reason", "OPS-8",
            ]),
            "between 1s and 8h",
        ),
        (service.lena(&["approve", "r-none"]), "no such request"),
        (
            service.ada(&["revoke", "g-none", "--why", "x"]),
            "no such grant",
        ),
        (
            service.alice(&["revoke", "--everything", "--why", "x", "--yes"]),
            "may not",
        ),
        (service.alice(&["audit"]), "may not"),
        (service.alice(&["list", "grants", "--all"]), "may not"),
    ] {
        assert_eq!((printed.status, &*printed.out), (1, ""), "{printed:?}");
        assert!(printed.err.contains(said), "{said}: {printed:?}");
    }
}

#[test]
fn whoever_is_not_known_is_told_how_to_be() {
    let service = Service::start();
    let list = ["list", "requests", "--url", service.url()];
    let nameless = printed(bare(&list));
    assert_eq!(nameless.status, 1, "{nameless:?}");
    assert!(
        nameless.err.contains("HALLPASS_GRANTS_TOKEN"),
        "{nameless:?}"
    );
    let mut command = bare(&list);
    command.env("HALLPASS_GRANTS_TOKEN", "nonsense");
    let liar = printed(command);
    assert_eq!(liar.status, 1, "{liar:?}");
    assert!(!liar.err.contains("nonsense"), "{liar:?}");
    assert!(!liar.err.contains(".."), "one full stop: {liar:?}");
}

#[test]
fn what_is_no_token_is_told_before_anything_is_sent_and_not_shown() {
    let service = Service::start();
    let file = service.file("token");
    let path = file.to_str().unwrap();
    for text in ["nonsense\nnonsense\n", "Bearer nonsense", "nonsensé", "\n"] {
        std::fs::write(&file, text).unwrap();
        let list = ["list", "requests", "--token-file", path];
        let told = printed(service.command("alice", &["dev"], &list));
        assert_eq!((told.status, &*told.out), (2, ""), "{text:?}: {told:?}");
        let said = format!("the file {path} holds no token");
        assert!(told.err.contains(&said), "{text:?}: {told:?}");
        assert!(!told.err.contains("nonsens"), "{text:?}: {told:?}");
    }
    let mut command = service.command("alice", &["dev"], &["list", "requests"]);
    command.env("HALLPASS_GRANTS_TOKEN", "Bearer nonsense");
    let told = printed(command);
    assert_eq!(told.status, 2, "{told:?}");
    let said = "HALLPASS_GRANTS_TOKEN, holds no token";
    assert!(told.err.contains(said), "{told:?}");
}

#[test]
fn a_term_that_is_none_is_told_with_its_option_and_what_is_expected() {
    for (option, expected) in [
        ("--for", "a duration such as 30m"),
        ("--until", "a time such as 2026-11-23T21:00:00Z"),
    ] {
        let ask = [
            "request", "orders", "read", "--reason", "x", option, "bogus",
        ];
        let told = printed(bare(&ask));
        assert_eq!((told.status, &*told.out), (2, ""), "{told:?}");
        for said in [option, "bogus", expected] {
            assert!(told.err.contains(said), "{said}: {told:?}");
        }
    }
}

#[test]
fn what_cannot_be_meant_ends_with_2() {
    for (arguments, said) in [
        (&["list", "requests"][..], "--url"),
        (&["list", "requests", "--url", "ftp://grants"], "https://"),
        (
            &["request", "orders", "read", "--url", "http://grants"],
            "--reason",
        ),
        (
            &[
                "request", "orders", "read", "--reason", "x", "--for", "soon",
            ],
            "--for",
        ),
        (&["list", "requests", "--all"], "list grants"),
        (&["list", "approvals", "--live"], "--live"),
        (
            &["list", "requests", "--subject", "bob", "--issuer", "x"],
            "--subject",
        ),
        (&["revoke", "--why", "x"], "--everything"),
        (
            &["revoke", "g-1", "--everything", "--why", "x"],
            "cannot be used with",
        ),
        (&["audit", "verify"], "where is the record"),
        (&["audit", "verify", "--file", "/nowhere"], "/nowhere"),
        (
            &["audit", "verify", "--database", "sqlite:/nowhere"],
            "database",
        ),
        (
            &["audit", "verify", "--file", "-", "--expect", "7"],
            "POSITION:HASH",
        ),
        (
            &[
                "list",
                "requests",
                "--url",
                "http://grants",
                "--token-file",
                "/nowhere",
            ],
            "/nowhere",
        ),
    ] {
        let printed = printed(bare(arguments));
        assert_eq!((printed.status, &*printed.out), (2, ""), "{printed:?}");
        assert!(printed.err.contains(said), "{said}: {printed:?}");
    }
}

#[test]
fn a_database_that_is_not_there_is_told_once_and_by_its_name() {
    let service = Service::start();
    let config = std::fs::read_to_string(service.config()).unwrap();
    let file = service.file("elsewhere.json");
    std::fs::write(&file, config.replace("grants.db", "gone.db")).unwrap();
    let path = file.to_str().unwrap();
    let told = printed(bare(&["audit", "verify", "--config", path]));
    assert_eq!((told.status, &*told.out), (2, ""), "{told:?}");
    let name = service.file("gone.db").display().to_string();
    for said in [&*name, "unable to open"] {
        assert_eq!(told.err.matches(said).count(), 1, "{said}: {told:?}");
    }
}

#[test]
fn a_service_that_cannot_be_reached_ends_with_3() {
    // Nobody else gets the port while it is bound, and nobody answers on it once it is dropped.
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", port.local_addr().unwrap());
    drop(port);
    for arguments in [
        &["list", "requests"][..],
        &["request", "orders", "read", "--reason", "x"],
        &["audit", "verify"],
    ] {
        let mut command = bare(arguments);
        command.env("HALLPASS_GRANTS_URL", &url);
        let printed = printed(command);
        assert_eq!((printed.status, &*printed.out), (3, ""), "{printed:?}");
        assert!(printed.err.contains("Is it running"), "{printed:?}");
    }
}

//! Reading the record, and proving it wherever it is.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use sqlx::{AnyConnection, Connection, Executor};

use crate::service::{Printed, Service, bare, printed, unread};

/// Alice was granted something, and it was revoked: four entries.
fn lived() -> Service {
    let service = Service::start();
    let grant = service.granted("read");
    let revoked = service.ada(&["revoke", &grant, "--why", "incident 9"]);
    assert_eq!(revoked.status, 0, "{revoked:?}");
    service
}

fn verify(arguments: &[&str]) -> Printed {
    let mut all = vec!["audit", "verify"];
    all.extend(arguments);
    printed(bare(&all))
}

/// The place and hash that a proof printed.
fn noted(proof: &Printed) -> String {
    assert_eq!(proof.status, 0, "{proof:?}");
    proof.out.split_whitespace().last().unwrap().to_owned()
}

#[test]
fn the_trail_tells_in_words_who_did_what_and_why() {
    let service = lived();
    let trail = service.ada(&["audit"]);
    let lines: Vec<_> = trail.out.lines().collect();
    for (line, said) in lines.iter().zip([
        "request_opened alice asks to read orders: OPS-7 look #1 from 127.0.0.1 r-",
        "request_approved lena approved that alice may read orders: OPS-7 look #2",
        "grant_given alice may read orders until ",
        "grant_revoked ada took back that alice may read orders: incident 9 #4",
    ]) {
        assert!(line.contains(said), "{said}: {trail:?}");
    }
    assert_eq!(lines.len(), 4, "{trail:?}");
    for (filter, count) in [
        (&["--event", "grant_given"][..], 1),
        (&["--actor", "ada"], 1),
        (&["--subject", "alice"], 4),
        (&["--resource", "stock"], 0),
        (&["--after", "3"], 1),
        (&["--limit", "2"], 2),
        (&["--since", "1h"], 4),
        (&["--until", "1h"], 0),
    ] {
        let mut arguments = vec!["audit"];
        arguments.extend(filter);
        let trail = service.ada(&arguments);
        assert_eq!(trail.status, 0, "{trail:?}");
        assert_eq!(trail.out.lines().count(), count, "{filter:?}: {trail:?}");
    }
}

#[test]
fn the_trail_goes_on_while_it_is_followed() {
    let service = Service::start();
    service.asked("read");
    let mut following = service
        .command("ada", &["security"], &["audit", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains(" read orders"));
    service.asked("write");
    assert!(next().contains(" write orders"));
    following.kill().unwrap();
    following.wait().unwrap();
}

#[test]
fn a_trail_whose_answer_breaks_off_goes_on_behind_what_it_has_printed() {
    let entry = |position: u64| {
        format!(
            r#"{{"entry":{{"position":{position},"time":"2026-11-23T20:00:00.000Z","event":"grant_given","actor":"itself"}},"hash":"0"}}"#
        )
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut following = bare(&["audit", "--follow", "--json", "--url", &url])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // How far the record goes at each answer, and how much of the answer is missing.
    for (end, missing) in [(1, 0), (3, 1), (4, 0)] {
        let (mut connection, _) = listener.accept().unwrap();
        let mut head = BufReader::new(connection.try_clone().unwrap()).lines();
        let asked = head.next().unwrap().unwrap();
        while !head.next().unwrap().unwrap().is_empty() {}
        let (_, after) = asked.split_once("after=").unwrap();
        let after: u64 = after.split([' ', '&']).next().unwrap().parse().unwrap();
        let told: String = (after + 1..=end).map(|place| entry(place) + "\n").collect();
        let length = told.len() + missing;
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{told}"
        );
        connection.write_all(answer.as_bytes()).unwrap();
    }
    let lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let printed: Vec<_> = lines.take(4).map(Result::unwrap).collect();
    following.kill().unwrap();
    following.wait().unwrap();
    let expected: Vec<_> = (1..=4).map(entry).collect();
    assert_eq!(printed, expected, "each once");
}

#[test]
fn a_sound_record_is_proven_from_everywhere_to_the_same_end() {
    let service = lived();
    let over_http = service.ada(&["audit", "verify"]);
    let end = noted(&over_http);
    assert!(
        over_http.out.starts_with("4 entries, the chain holds"),
        "{over_http:?}"
    );
    let file = service.file("export");
    fs::write(&file, service.ada(&["audit", "--json"]).out).unwrap();
    let (file, config) = (file.to_str().unwrap(), service.config());
    for place in [
        ["--file", file],
        ["--database", &service.database()],
        ["--config", config.to_str().unwrap()],
    ] {
        assert_eq!(noted(&verify(&place)), end, "{place:?}");
        let expecting = verify(&[place[0], place[1], "--expect", &end, "--json"]).json();
        assert_eq!(expecting["holds"], true, "{expecting}");
        assert_eq!(expecting["entries"], 4, "{expecting}");
        assert_eq!(expecting["last"], end.as_str(), "{expecting}");
    }
    service.granted("write");
    let grown = service.ada(&["audit", "verify", "--expect", &end]);
    assert!(grown.out.starts_with("7 entries"), "{grown:?}");
}

#[test]
fn the_environments_database_goes_before_the_configurations_and_before_nothing_else() {
    let service = lived();
    let other = Service::start();
    other.asked("read");
    let proven = |mut command: Command| {
        command.env("DATABASE_URL", other.database());
        printed(command).json()["entries"].clone()
    };
    let config = service.config();
    let export = service.file("export");
    fs::write(&export, service.ada(&["audit", "--json"]).out).unwrap();
    let (config, export) = (config.to_str().unwrap(), export.to_str().unwrap());
    for (place, entries) in [
        (&["--config", config][..], 1),
        (&[], 1),
        (&["--database", &service.database()], 4),
        (&["--file", export], 4),
    ] {
        let mut arguments = vec!["audit", "verify", "--json"];
        arguments.extend(place);
        assert_eq!(proven(bare(&arguments)), entries, "{place:?}");
    }
    let named = service.command("ada", &["security"], &["audit", "verify", "--json"]);
    assert_eq!(proven(named), 4);
}

#[test]
fn an_export_that_was_touched_is_found_out() {
    let service = lived();
    let export = service.ada(&["audit", "--json"]).out;
    let file = service.file("export");
    let path = file.to_str().unwrap().to_owned();
    let prove = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let mut arguments = vec!["--file", path.as_str()];
        arguments.extend(more);
        verify(&arguments)
    };
    let end = noted(&prove(&export, &[]));
    let lines: Vec<_> = export.lines().collect();
    let without = |place: usize| {
        let mut lines = lines.clone();
        lines.remove(place);
        lines.join("\n")
    };
    for (what, text, place) in [
        ("changed", export.replacen("incident 9", "incident 8", 1), 4),
        ("removed", without(1), 2),
        ("written anew", export.replace("\":", "\": "), 1),
    ] {
        let broken = prove(&text, &[]);
        assert_eq!((broken.status, &*broken.out), (1, ""), "{what}: {broken:?}");
        let said = format!("entry {place}: ");
        assert!(broken.err.contains(&said), "{what}: {broken:?}");
    }
    assert_eq!(
        prove(&without(3), &[]).status,
        0,
        "the end alone cannot be seen to be missing"
    );
    let cut = prove(&without(3), &["--expect", &end]);
    assert_eq!(cut.status, 1, "{cut:?}");
    assert!(cut.err.contains("cut off"), "{cut:?}");
    let other = format!("4:{}", "9".repeat(64));
    let begin = format!("0:{}", "9".repeat(64));
    for (notes, place) in [
        ([&end, &other], 4),
        ([&other, &end], 4),
        ([&end, &begin], 0),
    ] {
        let [one, another] = notes;
        let broken = prove(&export, &["--expect", one, "--expect", another]);
        assert_eq!((broken.status, &*broken.out), (1, ""), "{broken:?}");
        let said = format!("entry {place}: ");
        assert!(broken.err.contains(&said), "{broken:?}");
    }
}

#[test]
fn a_verdict_is_the_exit_status_also_if_nobody_reads_it() {
    let service = lived();
    let export = service.ada(&["audit", "--json"]).out;
    let touched = export.replacen("incident 9", "incident 8", 1);
    let file = service.file("export");
    for (text, status) in [(export, 0), (touched, 1)] {
        fs::write(&file, text).unwrap();
        let verify = ["audit", "verify", "--file", file.to_str().unwrap()];
        let verify_in_json = [&verify[..], &["--json"]].concat();
        for arguments in [&verify[..], &verify_in_json] {
            let unread = unread(bare(arguments));
            assert_eq!(unread.status, status, "{arguments:?}");
        }
    }
    fs::write(&file, "{}").unwrap();
    let faulty = unread(bare(&["check", "--config", file.to_str().unwrap()]));
    assert_eq!(faulty.status, 1, "check");
}

#[tokio::test]
async fn a_database_that_was_touched_is_found_out() {
    let mut service = lived();
    service.kill();
    let sound = verify(&["--database", &service.database()]);
    let end = noted(&sound);
    let cut = "DELETE FROM audit WHERE position = 4; \
        UPDATE chain SET position = 3, hash = (SELECT hash FROM audit WHERE position = 3)";
    for (name, change, said) in [
        (
            "entry",
            "UPDATE audit SET entry = replace(entry, 'alice', 'lena') WHERE position = 3",
            "entry 3: the hash is not that of the entry",
        ),
        (
            "removed",
            "DELETE FROM audit WHERE position = 2",
            "entry 2: an entry is missing",
        ),
        (
            "column",
            "UPDATE audit SET actor = 'nobody' WHERE position = 4",
            "entry 4: the columns beside the entry",
        ),
        (
            "end",
            "DELETE FROM audit WHERE position = 4",
            "entry 4: the record does not end where",
        ),
        (
            "chain",
            "UPDATE chain SET position = 3",
            "entry 4: the record does not end where",
        ),
        ("cut", cut, "entry 4: the record ends before"),
    ] {
        let file = service.file(name);
        for suffix in ["", "-wal"] {
            let from = service.file(&format!("grants.db{suffix}"));
            fs::copy(from, service.file(&format!("{name}{suffix}"))).unwrap();
        }
        let url = format!("sqlite:{}", file.display());
        touch(&url, change).await;
        let broken = verify(&["--database", &url, "--expect", &end]);
        assert_eq!((broken.status, &*broken.out), (1, ""), "{name}: {broken:?}");
        assert!(broken.err.contains(said), "{name}: {broken:?}");
    }
}

/// Changes what only an intruder would change.
async fn touch(url: &str, change: &'static str) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.unwrap();
    connection
        .execute("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_removed")
        .await
        .unwrap();
    connection.execute(change).await.unwrap();
    connection.close().await.unwrap();
}

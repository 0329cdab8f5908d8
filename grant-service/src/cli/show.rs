//! What the service tells, for people to read: tables, and what to do next.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use hallpass_core::printable::{printable, printable_json};
use hallpass_core::time::UnixMillis;
use serde_json::Value;

use super::failure::{Failure, Outcome};
use super::paint;

/// The answer as it is, for scripts.
pub(super) fn json(value: &Value) -> Outcome {
    let text = printable_json(value).map_err(Failure::usage)?;
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

/// What to do next, and other things that scripts do not read. If nobody does, that ends nothing.
pub(super) fn hint(text: &str) {
    drop(writeln!(anstream::stderr(), "{}", paint::faint(text)));
}

/// Requests, or a sentence if there are none.
pub(super) fn requests(requests: &[Value], none: &str, now: UnixMillis) -> Outcome {
    let header = ["state", "request", "who", "what", "how long", "left", "why"];
    let rows = requests.iter().map(|request| {
        let task = &request["task"];
        vec![
            text(&task["status"]),
            text(&task["id"]),
            text(&task["subject"]["id"]),
            format!(
                "{} {}",
                text(&task["action"]["name"]),
                text(&task["resource"]["id"])
            ),
            wanted(&task["requested_access"]),
            left(request, now),
            text(&task["reason"]),
        ]
    });
    table(&header, rows.collect(), none)
}

/// Grants, or a sentence if there are none.
pub(super) fn grants(grants: &[Value], none: &str, now: UnixMillis) -> Outcome {
    let header = ["state", "grant", "who", "what", "left", "until", "request"];
    let rows = grants.iter().map(|grant| {
        let is_active = grant["state"] == "active";
        vec![
            text(&grant["state"]),
            text(&grant["id"]),
            text(&grant["subject"]),
            format!(
                "{} {}",
                text(&grant["action"]["name"]),
                text(&grant["resource"]["id"])
            ),
            if is_active {
                until(&grant["until"], now)
            } else {
                String::new()
            },
            text(&grant["until"]),
            text(&grant["request"]),
        ]
    });
    table(&header, rows.collect(), none)
}

/// What became of a request, in a line; the rest beside it.
pub(super) fn request(request: &Value, now: UnixMillis) -> Outcome {
    let task = &request["task"];
    let approval = &request["result"]["approval"];
    let mut out = anstream::stdout().lock();
    let what = format!(
        "{} may {} {}",
        text(&task["subject"]["id"]),
        text(&task["action"]["name"]),
        text(&task["resource"]["id"])
    );
    let status = text(&task["status"]);
    writeln!(
        out,
        "{} {}",
        paint::state(&status),
        printable(&text(&task["id"]))
    )?;
    let (given, needed) = (&task["approvals"]["given"], &task["approvals"]["needed"]);
    let given = given.as_array().map_or(0, Vec::len);
    let more = match status.as_str() {
        "approved" => format!(
            "{what} until {} ({} left), grant {}",
            text(&approval["approved_until"]),
            until(&approval["approved_until"], now),
            text(&approval["id"])
        ),
        "pending" => format!(
            "waits for {} of {} approvals, {} left to decide",
            needed.as_u64().unwrap_or(1).saturating_sub(given as u64),
            needed.as_u64().unwrap_or(1),
            until(&task["expires_at"], now)
        ),
        "denied" => format!("why: {}", text(&task["closed"]["why"])),
        _ => return Ok(()),
    };
    Ok(writeln!(out, "  {}", printable(&more))?)
}

/// A text, or nothing.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// How long it is until this time.
fn until(time: &Value, now: UnixMillis) -> String {
    let Some(end) = time.as_str().and_then(UnixMillis::from_rfc3339) else {
        return String::new();
    };
    let left = end.since(now);
    if left.is_zero() {
        return "over".to_owned();
    }
    // Seconds matter to nobody who has hours.
    let seconds = left.as_secs();
    let shown = if seconds >= 3_600 {
        seconds - seconds % 60
    } else {
        seconds.max(1)
    };
    humantime::format_duration(std::time::Duration::from_secs(shown)).to_string()
}

/// How long a request may still be decided on, or how long what came of it counts.
fn left(request: &Value, now: UnixMillis) -> String {
    match request["task"]["status"].as_str() {
        Some("pending") => until(&request["task"]["expires_at"], now),
        Some("approved") if request["result"]["approval"]["state"] == "active" => {
            until(&request["result"]["approval"]["approved_until"], now)
        }
        _ => String::new(),
    }
}

fn wanted(access: &Value) -> String {
    let emergency = if access["emergency"] == true {
        " EMERGENCY"
    } else {
        ""
    };
    let term = match (
        access["duration"].as_str(),
        access["requested_until"].as_str(),
    ) {
        (Some(duration), _) => duration.to_owned(),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => String::new(),
    };
    format!("{term}{emergency}")
}

fn table(header: &[&str], rows: Vec<Vec<String>>, none: &str) -> Outcome {
    if rows.is_empty() {
        hint(none);
        return Ok(());
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(header.iter().map(|name| name.to_uppercase()));
    if let Some(width) = width() {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    let mut out = anstream::stdout().lock();
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end();
        let line = if index == 0 {
            paint::faint(line)
        } else {
            paint::line(line)
        };
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// How wide the terminal is, if there is one: what goes elsewhere is not broken into lines.
fn width() -> Option<u16> {
    let out = io::stdout();
    if !out.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(out).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}

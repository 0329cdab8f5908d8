//! The rooms of the crate stand in the order that its front page tells, and each uses only those above it.

use std::fs;
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The rooms, in the order of the table.
fn rooms(front_page: &str) -> Vec<String> {
    let rows = front_page
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "));
    let named = rows.filter_map(|row| {
        let name = row.trim_start_matches('[').strip_prefix('`')?;
        Some(name.split_once('`')?.0.to_owned())
    });
    named.collect()
}

/// What the crate consists of.
fn modules(front_page: &str) -> Vec<String> {
    let lines = front_page.lines();
    let names = lines.filter_map(|line| {
        let rest = line.strip_prefix("pub ").unwrap_or(line);
        Some(rest.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    });
    names.collect()
}

/// All files of a room.
fn files(room: &str) -> Vec<PathBuf> {
    let mut found = vec![source().join(format!("{room}.rs"))];
    let mut folders = vec![source().join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The rooms that a file names, but for those that only its comments do.
fn used(text: &str) -> Vec<String> {
    let code: Vec<_> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let name = |text: &str| -> String {
        let text = text.trim_start();
        let is_part = |symbol: &char| symbol.is_ascii_alphanumeric() || *symbol == '_';
        text.chars().take_while(is_part).collect()
    };
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            names.push(name(rest));
            continue;
        };
        let mut depth = 0_usize;
        let mut begins = 0;
        for (at, symbol) in group.char_indices() {
            match symbol {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    names.push(name(&group[begins..at]));
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    names.push(name(&group[begins..at]));
                    begins = at + 1;
                }
                _ => {}
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn each_room_uses_only_those_above_it() {
    let front_page = fs::read_to_string(source().join("lib.rs")).unwrap();
    let rooms = rooms(&front_page);
    let (mut told, mut there) = (rooms.clone(), modules(&front_page));
    told.sort();
    there.sort();
    assert_eq!(told, there, "the table tells all rooms");
    for (place, room) in rooms.iter().enumerate() {
        for file in files(room) {
            let text = fs::read_to_string(&file).unwrap();
            for name in used(&text) {
                let above = rooms[..=place].contains(&name);
                assert!(above, "{}: uses `{name}`", file.display());
            }
        }
    }
}

#[test]
fn what_a_file_uses_is_found_however_it_is_written() {
    let text = "use crate::audit::Event;\n/// [`Desk`](crate::desk::Desk)\nuse crate::{\n    intake, life::{Ask, Term},\n    page,\n};\n\
        fn of(store: crate::store::Store) {}\n";
    assert_eq!(used(text), ["audit", "intake", "life", "page", "store"]);
}

//! Each room of the core uses only what the table in `lib.rs` lets it use.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A key says for which algorithm it is, and a token is verified by a key. Neither stands before the other.
const EACH_OTHER: [&str; 2] = ["token", "jwks"];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The rooms that the table names, each with its row and its place in it.
fn table(lib: &str) -> BTreeMap<String, (usize, usize)> {
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | "));
    let rows = rows.filter(|row| row.contains('`'));
    let mut rooms = BTreeMap::new();
    for (row, cells) in rows.enumerate() {
        let (names, _) = cells.split_once(" | ").expect("two cells");
        for (place, name) in names.split('`').skip(1).step_by(2).enumerate() {
            let twice = rooms.insert(name.to_owned(), (row, place));
            assert_eq!(twice, None, "`{name}` stands in two rows");
        }
    }
    rooms
}

/// The code of a file outside tests, line by line, and the modules that it declares.
fn read(file: &Path) -> (Vec<String>, Vec<String>) {
    let source = fs::read_to_string(file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    let mut code = Vec::new();
    let mut modules = Vec::new();
    let mut lines = source.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            // A module of tests within a file is its end, and one in a file of its own is not read.
            if lines.next().is_some_and(|item| item.ends_with('{')) {
                break;
            }
        } else if !line.starts_with("//") {
            let item = line.trim_start_matches("pub(crate) ");
            let item = item.trim_start_matches("pub(super) ");
            let item = item.trim_start_matches("pub ");
            let module = item.strip_prefix("mod ").and_then(|m| m.strip_suffix(';'));
            modules.extend(module.map(str::to_owned));
            code.push(line.to_owned());
        }
    }
    (code, modules)
}

/// The code of a room outside tests: of its file, and of those in its folder.
fn code_of(folder: &Path, name: &str) -> Vec<String> {
    let (mut code, modules) = read(&folder.join(name).with_extension("rs"));
    for module in modules {
        code.extend(code_of(&folder.join(name), &module));
    }
    code
}

/// The rooms that lines of code name. `$crate::` is before macros, which belong to no room.
fn used(code: &[String]) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for line in code {
        let parts: Vec<&str> = line.split("crate::").collect();
        for pair in parts.windows(2) {
            if pair[0].ends_with('$') {
                continue;
            }
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = pair[1].find(|c| !is_name(c)).unwrap_or(pair[1].len());
            assert_ne!(
                end, 0,
                "a `use` for each room, or this cannot read it: {line}"
            );
            rooms.insert(pair[1][..end].to_owned());
        }
    }
    rooms
}

#[test]
fn the_table_names_every_room_of_the_core_and_nothing_else() {
    let (code, modules) = read(&sources().join("lib.rs"));
    assert_eq!(used(&code), BTreeSet::new());
    let lib = fs::read_to_string(sources().join("lib.rs")).expect("the library");
    let named: Vec<String> = table(&lib).into_keys().collect();
    assert_eq!(
        named,
        BTreeSet::from_iter(modules).into_iter().collect::<Vec<_>>()
    );
}

#[test]
fn each_room_uses_only_those_before_it_in_the_table() {
    let lib = fs::read_to_string(sources().join("lib.rs")).expect("the library");
    let table = table(&lib);
    let mut uses = 0;
    for (room, place) in &table {
        for other in used(&code_of(&sources(), room)) {
            let is_mutual = [room.as_str(), &other]
                .iter()
                .all(|r| EACH_OTHER.contains(r));
            if other == *room || is_mutual {
                continue;
            }
            let there = table
                .get(&other)
                .unwrap_or_else(|| panic!("`{room}` uses `{other}`, which is no room"));
            assert!(
                there < place,
                "`{room}` uses `{other}`, which stands after it"
            );
            uses += 1;
        }
    }
    assert!(uses > 80, "only {uses} uses were found");
}

//! The committed seeds, without a fuzzer: every promise is kept, and each seed still gets as far as its name says.

use std::fs;
use std::path::{Path, PathBuf};

use hallpass_fuzz::{Reached, TARGETS, seeds};

fn seeds_of(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files
}

#[test]
fn every_seed_keeps_the_promises_and_gets_as_far_as_its_name_says() {
    let mut elsewhere = Vec::new();
    for (name, target) in TARGETS {
        for file in seeds_of(name) {
            let seed = file
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            println!("{name}/{seed}");
            let reached = target(&fs::read(&file).expect("a seed can be read"));
            if !seed.starts_with(reached.word()) {
                elsewhere.push(format!("{name}/{seed} is {}", reached.word()));
            }
        }
    }
    assert_eq!(elsewhere, [""; 0]);
}

#[test]
fn the_seeds_of_each_target_reach_every_end() {
    for (name, _) in TARGETS {
        for end in [Reached::Unread, Reached::Refused, Reached::Accepted] {
            let there = seeds_of(name).iter().any(|file| {
                let seed = file.file_name().expect("a name").to_string_lossy();
                seed.starts_with(end.word())
            });
            assert!(there, "no seed of {name} is {}", end.word());
        }
    }
}

#[test]
fn seeds_that_are_made_are_those_that_are_committed() {
    for seed in seeds::generated() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("seeds")
            .join(seed.target)
            .join(&seed.name);
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            committed,
            seed.content,
            "{}: run `cargo run -p hallpass-fuzz --example write_seeds`",
            path.display()
        );
    }
}

//! Gives files to a target, outside the fuzzer: to see a finding under a debugger, or to see that it is gone.

use std::process::ExitCode;

use crate::Target;

/// Runs `target` on every file that the command line names. A broken promise panics.
pub fn replay(target: Target) -> ExitCode {
    let mut files = std::env::args_os().skip(1).peekable();
    if files.peek().is_none() {
        eprintln!("name the files to replay");
        return ExitCode::FAILURE;
    }
    for file in files {
        let name = file.display().to_string();
        match std::fs::read(&file) {
            Ok(bytes) => println!("{name}: {}", target(&bytes).word()),
            Err(error) => {
                eprintln!("{name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

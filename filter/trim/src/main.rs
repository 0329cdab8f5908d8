//! Takes out of a built module what the proxy would call or link for nothing.
//!
//! A proxy calls each callback that it finds, several times for a request, also into code that does nothing, and a library may export every
//! one that there is. The compiler exports things of its own besides. No setting of it keeps a library's exports out of a module, so they are
//! taken out of the built one, and with them the code and the imports that only they had a use for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use walrus::{ExportId, Module};

/// Takes out of a module all exports but those that a list names
#[derive(Parser)]
struct Cli {
    /// The module, as the compiler made it
    module: PathBuf,
    /// A file with the names of the exports that stay, one a line; lines that begin with # are notes
    #[arg(long)]
    exports: PathBuf,
    /// Where the module goes
    #[arg(long)]
    output: PathBuf,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let list = std::fs::read_to_string(&cli.exports)
        .with_context(|| format!("cannot read {}", cli.exports.display()))?;
    let bytes = std::fs::read(&cli.module)
        .with_context(|| format!("cannot read {}", cli.module.display()))?;
    let trimmed = trim(&bytes, &named_in(&list))
        .with_context(|| format!("{}, {}", cli.module.display(), cli.exports.display()))?;
    write(&cli.output, &trimmed)
}

fn named_in(list: &str) -> BTreeSet<&str> {
    let names = list.lines().map(str::trim);
    names
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .collect()
}

/// The module with these exports alone, and with what they need.
///
/// # Errors
/// When it is no module, or lacks one of them: then the list is about something else.
fn trim(bytes: &[u8], kept: &BTreeSet<&str>) -> Result<Vec<u8>> {
    let mut module = Module::from_buffer(bytes)?;
    let found: BTreeSet<&str> = module.exports.iter().map(|e| e.name.as_str()).collect();
    if let Some(absent) = kept.difference(&found).next() {
        bail!("the module has no export `{absent}`");
    }
    let superfluous: Vec<ExportId> = module
        .exports
        .iter()
        .filter(|export| !kept.contains(export.name.as_str()))
        .map(walrus::Export::id)
        .collect();
    for export in superfluous {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exports `f`, which calls the import `env.a`, and `g`, which calls `env.b`.
    const MODULE: &[u8] = b"\0asm\x01\0\0\0\
        \x01\x04\x01\x60\0\0\
        \x02\x11\x02\x03env\x01a\0\0\x03env\x01b\0\0\
        \x03\x03\x02\0\0\
        \x07\x09\x02\x01f\0\x02\x01g\0\x03\
        \x0a\x0b\x02\x04\0\x10\0\x0b\x04\0\x10\x01\x0b";

    fn trimmed(list: &str) -> Result<(Vec<String>, Vec<String>)> {
        let module = Module::from_buffer(&trim(MODULE, &named_in(list))?)?;
        let exports = module.exports.iter().map(|e| e.name.clone()).collect();
        let imports = module.imports.iter().map(|i| i.name.clone()).collect();
        Ok((exports, imports))
    }

    #[test]
    fn what_the_list_names_stays_with_what_it_needs_and_nothing_else() {
        let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (exports, imports) = trimmed("# a note\n\ng\n").unwrap();
        assert_eq!((exports, imports), (texts(&["g"]), texts(&["b"])));
    }

    #[test]
    fn a_name_that_the_module_does_not_have_is_a_fault() {
        let fault = trimmed("f\nh").unwrap_err();
        assert_eq!(fault.to_string(), "the module has no export `h`");
    }
}

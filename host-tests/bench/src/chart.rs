//! A picture of what was measured: bars of throughput beside that of the plain proxy, as an SVG of its own, for pages in light and dark.
//!
//! It is made of the JSON of a run and of nothing else, so whoever has the one can tell whether the other belongs to it.

mod drawing;
mod figures;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use drawing::draw;
use figures::Figures;

/// Draws the figures of a run as an SVG
#[derive(Debug, Args)]
pub(crate) struct Chart {
    /// The figures, as JSON
    #[arg(long, default_value = "dist/bench.json")]
    figures: PathBuf,
    /// Where the picture goes
    #[arg(long, default_value = "dist/bench.svg")]
    output: PathBuf,
}

impl Chart {
    pub(crate) fn write(&self) -> Result<()> {
        let json = std::fs::read_to_string(&self.figures)
            .with_context(|| format!("cannot read {}", self.figures.display()))?;
        let picture = picture(&json).with_context(|| self.figures.display().to_string())?;
        std::fs::write(&self.output, picture)
            .with_context(|| format!("cannot write {}", self.output.display()))
    }
}

/// The picture of these figures.
fn picture(json: &str) -> Result<String> {
    Ok(draw(&Figures::parse(json)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

    /// Both are published together, by `make bench-publish`, or neither.
    #[test]
    fn the_published_picture_is_that_of_the_published_figures() {
        let published = |name: &str| std::fs::read_to_string(format!("{DOCS}/{name}")).ok();
        let figures = published("bench.json");
        let expected = figures.map(|json| picture(&json).expect("figures"));
        assert!(
            expected == published("bench.svg"),
            "docs/bench.svg is not what the chart makes of docs/bench.json: `make bench-publish` makes both"
        );
    }
}

//! Writes the seeds that are made (`hallpass_fuzz::seeds`) into the folder `seeds`.

use std::fs;
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for seed in hallpass_fuzz::seeds::generated() {
        let folder = seeds.join(seed.target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(&seed.name), seed.content)?;
        println!("{}/{}", seed.target, seed.name);
    }
    Ok(())
}

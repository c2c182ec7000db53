//! Writes the seeds of all fuzz targets.
//!
//!     cargo run --example seeds -- FOLDER      one folder in it for each target

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

#[path = "../tests/seeds/mod.rs"]
mod seeds;

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("a folder to write to"));
    for (target, seeds) in seeds::all() {
        let folder = folder.join(target);
        fs::create_dir_all(&folder).expect("a folder");
        for seed in &seeds {
            let mut hasher = DefaultHasher::new();
            seed.hash(&mut hasher);
            fs::write(folder.join(format!("{:016x}", hasher.finish())), seed).expect("a file");
        }
        println!("{target}: {}", seeds.len());
    }
}

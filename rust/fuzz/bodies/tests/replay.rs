//! The corpus once more: what fuzzing has reached stays as it was.

#![cfg(test)]

use std::fs;
use std::path::Path;

use ws13_fuzz_bodies::TARGETS;

fn replay(target: &str) {
    let (_, body) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("a corpus")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    assert!(files.len() >= 20, "{} files in {}", files.len(), folder.display());
    for file in files {
        let data = fs::read(&file).expect("it can be read");
        // Shown when the body panics: which one it was.
        println!("{}", file.display());
        body(&data);
    }
}

macro_rules! replayed {
    ($($target:ident)*) => { $(
        #[test]
        fn $target() {
            replay(stringify!($target));
        }
    )* };
}

replayed! {
    handshake_server handshake_client extension_header frames_server frames_client
    inflate utf8 mask api_sequence end_to_end
}

#[test]
fn every_body_takes_nothing_and_zeros() {
    for (_, body) in TARGETS {
        for length in 0..64 {
            body(&vec![0; length]);
            body(&vec![0xFF; length]);
        }
    }
}

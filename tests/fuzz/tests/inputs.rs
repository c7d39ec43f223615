//! What every target does with its seeds, and with the inputs that once broke something.

use std::path::Path;

use fuzz::{TARGETS, Target};

#[test]
fn every_seed_is_taken() {
    for Target { name, run, seeds } in TARGETS {
        let seeds = seeds();
        assert!(!seeds.is_empty(), "{name}");
        for seed in seeds {
            run(&seed);
        }
    }
}

#[test]
fn what_once_broke_something_does_so_no_more() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    for Target { name, run, .. } in TARGETS {
        for file in std::fs::read_dir(folder.join(name)).into_iter().flatten() {
            run(&std::fs::read(file.unwrap().path()).unwrap());
        }
    }
}

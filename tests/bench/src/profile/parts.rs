//! The parts of a program, by the crates that they are made of. Pure.

/// What no crate is known of: the C library, ring's own names, the kernel's.
const OTHER: &str = "the rest";
/// Allocating, copying and comparing, which everything does.
const MEMORY: &str = "memory: allocating, copying";
/// Rust's own library, where it works for nobody in particular.
const STANDARD: &str = "Rust's standard library";

/// Crates by the beginnings of their names.
const CRATES: [(&str, &[&str]); 9] = [
    ("TLS and digests", &["rustls", "ring", "webpki", "sha2", "hmac", "md5", "md_5", "tokio_rustls"]),
    ("AWS SDK", &["aws_sdk", "aws_smithy", "aws_runtime", "aws_sigv4", "aws_types", "aws_credential"]),
    ("HTTP", &["hyper", "http", "httparse", "bytes", "want", "tower", "h2", "atomic_waker"]),
    ("Lambda's runtime client", &["lambda_runtime", "aws_lambda_events"]),
    ("JSON", &["serde", "itoa", "ryu", "zmij", "memchr", "base64", "simdutf8"]),
    ("tokio", &["tokio", "mio", "futures", "pin_project", "parking_lot", "async_stream"]),
    ("logs", &["tracing", "sharded_slab", "valuable", "nu_ansi_term", "log"]),
    (
        "templates, amounts, times, compression",
        &["minijinja", "rust_decimal", "jiff", "zstd", "flate2", "csv", "quick_xml"],
    ),
    ("ordersync itself", &["ordersync", "intake", "processor", "floor"]),
];

/// Names of ring's and `BoringSSL`'s routines.
const DIGESTS: [&str; 9] = ["ring_core", "sha256", "sha512", "gcm_", "aes_", "aesni", "GFp_", "x25519", "bn_"];
const COPIES: [&str; 10] =
    ["mem", "__mem", "malloc", "free", "_int_", "realloc", "calloc", "unlink_chunk", "__rust_", "__rdl_"];
const TEMPLATES: [&str; 4] = ["ZSTD_", "HUF_", "FSE_", "HIST_"];

/// The part that a function belongs to: that of the first crate in its name that is not Rust's own.
pub(super) fn part(function: &str) -> &'static str {
    let begins = |names: &[&str]| names.iter().any(|name| function.starts_with(name));
    let crates = function.match_indices("::").filter_map(|(at, _)| {
        let before = &function[..at];
        let start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |last| last + 1);
        // What is preceded by `::` is a module.
        (!before[..start].ends_with("::")).then_some(&before[start..])
    });
    let mut is_rust = false;
    for name in crates {
        let known = CRATES.iter().find(|(_, crates)| crates.iter().any(|known| name.starts_with(known)));
        if let Some((part, _)) = known {
            return part;
        }
        is_rust = is_rust || matches!(name, "core" | "alloc" | "std" | "hashbrown");
    }
    if begins(&COPIES) {
        MEMORY
    } else if DIGESTS.iter().any(|name| function.contains(name)) {
        CRATES[0].0
    } else if begins(&TEMPLATES) {
        CRATES[7].0
    } else if is_rust {
        STANDARD
    } else {
        OTHER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_belongs_to_the_first_crate_that_is_not_rusts_own() {
        for (function, expected) in [
            ("<hyper::proto::h1::Conn<I> as core::future::Future>::poll", "HTTP"),
            ("core::ptr::drop_in_place::<aws_smithy_types::config_bag::Layer>", "AWS SDK"),
            ("<alloc::vec::Vec<u8>>::extend_from_slice", STANDARD),
            ("ordersync::queue::inbound::Inbound::send::{closure#0}", "ordersync itself"),
            ("__memmove_avx_unaligned_erms", MEMORY),
            ("ring_core_0_17_14__sha256_block_data_order", "TLS and digests"),
            ("ZSTD_compressBlock_fast", "templates, amounts, times, compression"),
            ("epoll_wait", OTHER),
            ("<alloc::collections::btree::map::BTreeMap<&str, tracing_core::Level> as Drop>::drop", "logs"),
        ] {
            assert_eq!(part(function), expected, "{function}");
        }
    }
}

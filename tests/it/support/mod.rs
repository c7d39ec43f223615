//! What the tests share: the stack, the shops that send, the receivers that get.

pub(crate) mod account;
pub(crate) mod cli;
pub(crate) mod fake_shop;
pub(crate) mod process;
pub(crate) mod receiver;
pub(crate) mod shop;
pub(crate) mod stack;

use std::time::Duration;

use tokio::time::Instant;

/// Longer than anything here may take; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(90);

/// Text of so many letters that does not compress; each seed makes another.
pub(crate) fn noise(letters: u32, seed: u32) -> String {
    let scrambled = |n: u32| {
        let n = (n ^ (n >> 16)).wrapping_mul(0x45d9_f3b5);
        (n ^ (n >> 15)).wrapping_mul(0x2c1b_3c6d) >> 7
    };
    let letter = |n: u32| char::from(b'a' + u8::try_from(scrambled(n.wrapping_add(seed << 24)) % 26).unwrap());
    (0..letters).map(letter).collect()
}

/// Asks until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let ends = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < ends, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

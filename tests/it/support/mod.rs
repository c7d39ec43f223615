//! What the tests share: the stack, the shops that send, the receivers that get.

pub(crate) mod fake_shop;
pub(crate) mod process;
pub(crate) mod receiver;
pub(crate) mod shop;
pub(crate) mod stack;

use std::time::Duration;

use tokio::time::Instant;

/// Longer than anything here may take; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(90);

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

//! The floor beneath processor.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    floor::processor::main().await
}

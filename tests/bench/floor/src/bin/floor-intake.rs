//! The floor beneath intake.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    floor::intake::main().await
}

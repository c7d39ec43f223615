//! The stack's processes.

use std::fs;
use std::process::Command;

use ordersync::aws;

/// Ends every process of one of the stack's functions, as a crash would; `variable` of `stack.env` has its name.
/// Returns how many there were.
pub(crate) fn kill(variable: &'static str) -> usize {
    let name = aws::variable(variable).unwrap_or_else(|| panic!("{variable} of stack.env"));
    let endpoint = aws::variable("AWS_ENDPOINT_URL").expect("AWS_ENDPOINT_URL of stack.env");
    let wanted = [format!("AWS_LAMBDA_FUNCTION_NAME={name}"), format!("AWS_ENDPOINT_URL={endpoint}")];
    let mut killed = 0;
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(environment) = fs::read(process.path().join("environ")) else { continue };
        let has = |line: &String| environment.split(|byte| *byte == 0).any(|entry| entry == line.as_bytes());
        if wanted.iter().all(has) {
            assert!(Command::new("kill").arg("-9").arg(process.file_name()).status().unwrap().success());
            killed += 1;
        }
    }
    killed
}

/// Asks a process to end, as Ctrl-C does.
pub(crate) fn interrupt(id: u32) {
    assert!(Command::new("kill").arg("-INT").arg(id.to_string()).status().unwrap().success());
}

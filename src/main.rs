//! Runs the command line, and prints what went wrong.

use std::process::ExitCode;

fn main() -> ExitCode {
    match signet::cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("signet: {}", signet::cli::reason(&error));
            ExitCode::FAILURE
        }
    }
}

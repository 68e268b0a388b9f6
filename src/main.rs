//! Runs the command line, and prints what went wrong.

use std::{
    io::{self, Write},
    process::ExitCode,
};

fn main() -> ExitCode {
    match signet::cli::run() {
        Ok(code) => code,
        Err(error) => {
            // Where nobody listens, the exit status says enough.
            let _ = writeln!(io::stderr(), "signet: {}", signet::cli::reason(&error));
            ExitCode::FAILURE
        }
    }
}

//! The `carafe` command: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let settings = carafe::settings::Settings::from_env();
    ExitCode::from(carafe::cli::main(std::env::args_os(), settings).code())
}

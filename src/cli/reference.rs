//! The command line as a page of documentation.

use std::fmt::Write;

use clap::Command;

const PREAMBLE: &str = "\
# Command line

<!-- Made from src/cli by `UPDATE_DOCS=1 cargo test --test cli`: change the commands there. -->

Results go to standard output, everything else to standard error. The exit status is 0 when it is \
done, 1 when it was refused, with the reason and the remedy, and 2 when the usage was wrong. With \
`--json` a command prints exactly one JSON value. A secret is printed once, when it is made, and \
never again.

Every command understands every setting of the [configuration](configuration.md) as a flag, and \
works on the database whether or not a server runs; running servers follow within two seconds.
";

/// The text of `docs/reference/cli.md`.
#[must_use]
pub fn reference() -> String {
    let mut command = super::command().term_width(100).color(clap::ColorChoice::Never);
    command.build();
    let mut page = PREAMBLE.to_owned();
    describe(&mut page, &mut command);
    page
}

/// Commands with commands below them say nothing that those do not say better.
fn describe(page: &mut String, command: &mut Command) {
    if !command.has_subcommands() {
        let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
        let help = command.render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
        return;
    }
    let commands = command.get_subcommands_mut();
    for command in commands.filter(|command| command.get_name() != "help") {
        describe(page, command);
    }
}

//! The settings as flags. Each command understands all of them, wherever they stand on the line, and
//! shows those that make a difference to it.

use clap::{Arg, ArgMatches, Command};

use super::dev;
use crate::config::{Setting, settings};

const HEADING: &str = "Configuration";

/// Put the flags on a command and on every command below it.
pub(super) fn on_every_command(command: Command) -> Command {
    let command = with_flags(command, |name| name == "config");
    command.mut_subcommands(|command| {
        let shown: fn(&str) -> bool = match command.get_name() {
            "serve" | "dev" => |_| true,
            "completions" => |_| false,
            "login" | "token" | "whoami" | "logout" => |name| matches!(name, "config" | "issuer"),
            "key" => |name| matches!(name, "config" | "database_url" | "keys_dir"),
            _ => |name| matches!(name, "config" | "database_url"),
        };
        with_flags_throughout(command, shown)
    })
}

fn with_flags_throughout(command: Command, shown: fn(&str) -> bool) -> Command {
    let below = move |command| with_flags_throughout(command, shown);
    with_flags(command, shown).mut_subcommands(below)
}

fn with_flags(command: Command, shown: fn(&str) -> bool) -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .help("The configuration file [default: signet.toml, when it exists]")
        .help_heading(HEADING)
        .hide(!shown("config"));
    let defaults = defaults(command.get_name());
    let flags = settings().map(|setting| flag(setting, defaults).hide(!shown(setting.name)));
    command.arg(config).args(flags)
}

/// The flags that were given, by the name of their setting. What stands after a subcommand counts more
/// than what stands before it.
pub(super) fn given(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let names = settings().map(|setting| setting.name).chain(["config"]);
    let here = names.filter_map(|name| {
        let value = matches.try_get_one::<String>(name).ok().flatten()?;
        Some((name, value.clone()))
    });
    let below = matches.subcommand().map(|(_, matches)| given(matches));
    here.collect::<Vec<_>>().into_iter().chain(below.unwrap_or_default()).collect()
}

/// The settings of which a command has another idea, as long as nobody says anything.
pub(super) fn defaults(command: &str) -> &'static [(&'static str, &'static str)] {
    if command == "dev" { &dev::DEFAULTS } else { &[] }
}

fn flag(setting: Setting, defaults: &[(&str, &str)]) -> Arg {
    let other = defaults.iter().find(|(name, _)| *name == setting.name);
    let default = other.map_or(setting.default, |(_, default)| default);
    Arg::new(setting.name)
        .long(setting.option())
        .value_name("VALUE")
        .help(format!("{} [default: {default}]", setting.help))
        .help_heading(HEADING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_last_counts() {
        let line = ["signet", "--listen", "a", "client", "--issuer", "b", "list", "--listen", "c"];
        let given = given(&crate::cli::command().get_matches_from(line));
        let value = |name| given.iter().rev().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        assert_eq!((value("listen"), value("issuer")), (Some("c"), Some("b")));
    }
}

//! The settings as a page of documentation.

use std::fmt::Write;

use super::SECTIONS;

/// The text of `docs/reference/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut page = PREAMBLE.to_owned();
    for section in SECTIONS {
        write_to(&mut page, format_args!("\n## {}\n\n", section.title));
        page.push_str("| flag | environment | signet.toml | default | meaning |\n");
        page.push_str("| --- | --- | --- | --- | --- |\n");
        for setting in section.settings {
            let (flag, variable) = (setting.flag(), setting.variable());
            let (name, default, help) = (setting.name, setting.default, setting.help);
            let row =
                format_args!("| `{flag}` | `{variable}` | `{name}` | `{default}` | {help} |\n");
            write_to(&mut page, row);
        }
    }
    page
}

fn write_to(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes all that is written to it");
}

const PREAMBLE: &str = "\
# Configuration

<!-- Made from src/config by `UPDATE_DOCS=1 cargo test --test cli`: change the settings there. -->

Each setting has one name in three places. A flag counts more than the environment, the environment \
more than `signet.toml`, and that more than the default:

```sh
signet serve --issuer https://id.example.com
SIGNET_ISSUER=https://id.example.com signet serve
echo 'issuer = \"https://id.example.com\"' >> signet.toml && signet serve
```

An unknown flag, variable or key is an error that names the nearest known one. A variable that is \
empty counts as not set. Times are whole seconds. Paths are relative to the directory in which \
`signet` is started.

Two things are not settings:

| flag | environment | meaning |
| --- | --- | --- |
| `--config` | `SIGNET_CONFIG` | The configuration file; without it `signet.toml`, when that exists. |
| | `SIGNET_MASTER_KEY` | The key under which signing keys are sealed, instead of the one in `keys_dir`. It cannot be a flag or stand in a file, where others could read it. |
";

//! Where values come from, and which of several counts.

use std::{
    collections::BTreeMap,
    fs, io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{Setting, settings};
use crate::values::Secret;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A name that no setting has.
    #[error("{given} is not a setting: {}", remedy(nearest.as_deref()))]
    Unknown {
        /// The name, and where it stands.
        given: String,
        /// The known name that is like it, if one is.
        nearest: Option<String>,
    },
    /// A value that a setting cannot have.
    #[error("{place} {remedy}")]
    Wrong {
        /// The setting by the name under which it was set.
        place: String,
        /// What it must be.
        remedy: String,
    },
    /// A configuration file that cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The values that were given, by the name of their setting; of several, the one that counts.
pub(super) struct Sources {
    given: BTreeMap<&'static str, Given>,
    pub(super) master_key: Option<Secret<String>>,
    pub(super) rust_log: Option<String>,
}

struct Given {
    text: String,
    place: String,
}

impl Sources {
    pub(super) fn gather<'a>(
        defaults: &[(&str, &str)],
        flags: impl IntoIterator<Item = (&'a str, String)>,
        environment: impl IntoIterator<Item = (String, String)>,
        usual_file: &Path,
    ) -> Result<Self, ConfigError> {
        let mut environment: BTreeMap<String, String> = environment.into_iter().collect();
        let mut flags: BTreeMap<&str, String> = flags.into_iter().collect();
        let mut taken = |name| environment.remove(name).filter(|value| !value.is_empty());
        let rust_log = taken("RUST_LOG");
        let master_key = taken("SIGNET_MASTER_KEY").map(Secret::new);
        let named_file = taken("SIGNET_CONFIG");
        let named_file = flags.remove("config").or(named_file).map(PathBuf::from);

        let mut sources = Self { given: BTreeMap::new(), master_key, rust_log };
        for setting in settings() {
            if let Some((_, text)) = defaults.iter().find(|(name, _)| *name == setting.name) {
                let place = setting.name.to_owned();
                sources.given.insert(setting.name, Given { text: (*text).to_owned(), place });
            }
        }
        match named_file {
            Some(file) => sources.add_file(&file)?,
            None if usual_file.exists() => sources.add_file(usual_file)?,
            None => {}
        }
        sources.add_environment(environment)?;
        sources.add_flags(flags)?;
        Ok(sources)
    }

    /// The value of a setting, or its default, as `parse` understands it: otherwise `parse` says what
    /// it must be.
    pub(super) fn read<T>(
        &self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let (text, place) = match self.given.get(setting.name) {
            Some(given) => (given.text.as_str(), given.place.as_str()),
            None => (setting.default, setting.name),
        };
        parse(text).map_err(|remedy| ConfigError::Wrong { place: place.to_owned(), remedy })
    }

    /// The value of a setting that is a number of seconds.
    pub(super) fn seconds(
        &self,
        setting: &Setting,
        range: RangeInclusive<i64>,
    ) -> Result<i64, ConfigError> {
        self.read(setting, |text| {
            text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
                let (least, most) = (range.start(), range.end());
                format!("must be a whole number of seconds from {least} to {most}")
            })
        })
    }

    /// Whether anybody gave this setting a value.
    pub(super) fn is_given(&self, setting: &Setting) -> bool {
        self.given.contains_key(setting.name)
    }

    fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let table: Table = text.parse().map_err(|error| not_toml(path, &text, &error))?;

        for (key, value) in table {
            let place = format!("{key} in {}", path.display());
            if value.is_table() {
                let remedy = "is a table: settings stand at the top, without [sections]".to_owned();
                return Err(ConfigError::Wrong { place, remedy });
            }
            let known = settings().find(|setting| setting.name == key);
            let setting = known.ok_or_else(|| ConfigError::Unknown {
                given: place.clone(),
                nearest: nearest(&key, settings().map(|setting| setting.name.to_owned())),
            })?;
            let text = match value {
                Value::String(text) => text,
                Value::Integer(number) => number.to_string(),
                _ => {
                    let remedy = "must be a text in quotes or a whole number".to_owned();
                    return Err(ConfigError::Wrong { place, remedy });
                }
            };
            self.given.insert(setting.name, Given { text, place });
        }
        Ok(())
    }

    fn add_environment(
        &mut self,
        environment: BTreeMap<String, String>,
    ) -> Result<(), ConfigError> {
        // The last two are for `signet token`, which looks for them itself.
        let others = ["SIGNET_CONFIG", "SIGNET_MASTER_KEY", "SIGNET_TOKEN", "SIGNET_API_KEY"];
        let ours = environment.into_iter().filter(|(name, _)| name.starts_with(PREFIX));
        for (variable, text) in ours.filter(|(name, _)| !others.contains(&name.as_str())) {
            let known = settings().find(|setting| setting.variable() == variable);
            let setting = known.ok_or_else(|| {
                let known = settings().map(|setting| setting.variable());
                let known = known.chain(others.map(str::to_owned));
                // What all of them begin with makes none of them alike.
                let words = known.map(|name| name[PREFIX.len()..].to_owned());
                let nearest = nearest(&variable[PREFIX.len()..], words);
                let nearest = nearest.map(|word| format!("{PREFIX}{word}"));
                ConfigError::Unknown { given: variable.clone(), nearest }
            })?;
            // A variable that a deployment passes on although nobody filled it says nothing.
            if !text.is_empty() {
                self.given.insert(setting.name, Given { text, place: variable });
            }
        }
        Ok(())
    }

    fn add_flags(&mut self, flags: BTreeMap<&str, String>) -> Result<(), ConfigError> {
        for (name, text) in flags {
            let known = settings().find(|setting| setting.name == name);
            let setting = known.ok_or_else(|| ConfigError::Unknown {
                given: name.to_owned(),
                nearest: nearest(name, settings().map(|setting| setting.name.to_owned())),
            })?;
            self.given.insert(setting.name, Given { text, place: setting.flag() });
        }
        Ok(())
    }
}

/// What the name of every variable of ours begins with.
const PREFIX: &str = "SIGNET_";

/// The known name that is most like the one given, unless they have too little in common.
fn nearest(given: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let likeness = |name: &String| strsim::normalized_damerau_levenshtein(given, name);
    let like = known.map(|name| (likeness(&name), name)).filter(|(likeness, _)| *likeness > 0.6);
    like.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

fn remedy(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("did you mean {name}?"),
        None => "`signet serve --help` lists them all".to_owned(),
    }
}

/// The parser's own picture of the mistake would show the line, and a password with it.
fn not_toml(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
    let line = before.matches('\n').count() + 1;
    ConfigError::Wrong {
        place: path.display().to_string(),
        remedy: format!("line {line} is not TOML: {}", error.message()),
    }
}

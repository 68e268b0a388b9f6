//! What a setting is: one declaration, from which its three names follow.

/// Settings that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The heading in the documentation.
    pub title: &'static str,
    /// The settings.
    pub settings: &'static [Setting],
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key in `signet.toml`; flag and variable follow from it.
    pub name: &'static str,
    /// What holds when nobody sets it.
    pub default: &'static str,
    /// What it does, in a sentence or two.
    pub help: &'static str,
}

impl Setting {
    /// The setting on the command line: `--database-url`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.option())
    }

    /// The flag without its dashes.
    #[must_use]
    pub fn option(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The setting in the environment: `SIGNET_DATABASE_URL`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("SIGNET_{}", self.name.to_ascii_uppercase())
    }
}

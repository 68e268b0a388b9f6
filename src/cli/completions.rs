//! `signet completions`.

use clap::Args;
use clap_complete::Shell;

use super::output;

/// Print a script that completes commands and options in a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  signet completions bash > /etc/bash_completion.d/signet
  signet completions zsh > \"${fpath[1]}/_signet\"
  signet completions fish > ~/.config/fish/completions/signet.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn print(&self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "signet", &mut script);
        output::print(&String::from_utf8_lossy(&script))?;
        Ok(())
    }
}

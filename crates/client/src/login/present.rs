//! What the person is asked to do, and where.

use std::{
    env,
    io::{self, Write},
};

/// Where somebody signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In the browser of this computer.
    Browser,
    /// On another screen.
    Device,
}

/// What the person has to do.
#[derive(Clone, Debug)]
pub enum Prompt {
    /// Visit an address with the browser of this computer.
    Visit {
        /// The address.
        url: String,
    },
    /// Enter a code on another screen.
    Enter {
        /// The code.
        code: String,
        /// Where it is entered.
        url: String,
        /// The same, with the code filled in.
        url_with_code: Option<String>,
    },
}

impl Way {
    /// In the browser where there seems to be one: not over SSH, and on Linux only in a graphical
    /// session.
    #[must_use]
    pub fn automatic() -> Self {
        let remote = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(is_set);
        let graphical = !cfg!(all(unix, not(target_os = "macos")))
            || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].into_iter().any(is_set);
        if remote || !graphical { Self::Device } else { Self::Browser }
    }
}

#[expect(clippy::disallowed_methods, reason = "a program of the person's own asks where it runs")]
fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Say on standard error what is to be done, and open the browser where it is to be used.
pub fn present(prompt: &Prompt) {
    let mut out = io::stderr().lock();
    // Where nobody reads, nobody needs to be told.
    let _ = match prompt {
        Prompt::Visit { url } if open(url) => {
            writeln!(out, "Sign in with your browser. Should it not open, visit\n  {url}")
        }
        Prompt::Visit { url } => writeln!(out, "Sign in with your browser at\n  {url}"),
        Prompt::Enter { code, url, url_with_code: None } => {
            writeln!(out, "Visit {url} on any device and enter the code\n  {code}")
        }
        Prompt::Enter { code, url, url_with_code: Some(complete) } => {
            writeln!(
                out,
                "Visit {url} on any device and enter the code\n  {code}\nor visit\n  {complete}"
            )
        }
    };
}

/// Open an address in the browser of this computer. The answer is whether that seems to have worked.
#[must_use]
pub fn open(url: &str) -> bool {
    let mut options = webbrowser::BrowserOptions::new();
    options.with_suppress_output(true);
    webbrowser::open_browser_with_options(webbrowser::Browser::Default, url, &options).is_ok()
}

//! One process at a time.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// A lock that ends with this value, or with the process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Wait for it, on a thread where waiting is allowed. The file is never removed: whoever waits for
    /// the old one and whoever makes a new one would both go on.
    pub(super) fn take(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        file.lock()?;
        Ok(Self { _file: file })
    }
}

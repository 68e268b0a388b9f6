//! What is kept of a sign-in, and where: secrets in the operating system's keyring, everything else in a
//! file beside.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use signet_jwt::Timestamp;

use super::{Login, Person, Session, SignedIn, lock::Lock};
use crate::{
    AccessToken, Clock, Error, SystemClock, TokenKind, clock::SharedClock, random, secret::Secret,
    server::Tokens,
};

/// The sessions of a program, one for each issuer and client.
#[derive(Clone, Debug)]
pub struct Sessions {
    pub(super) program: String,
    pub(super) directory: PathBuf,
    pub(super) clock: SharedClock,
    keyring: bool,
}

/// Where the tokens of a session are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kept {
    /// In the operating system's keyring.
    Keyring,
    /// In a file that only its owner may read.
    File,
}

/// What is no secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) scope: Option<String>,
    pub(super) resources: Vec<String>,
    pub(super) person: Option<Person>,
    pub(super) signed_in_at: Timestamp,
    pub(super) kept: Kept,
}

/// What is.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Secrets {
    /// Left out where the keyring has no room for it: another one can be had.
    #[serde(serialize_with = "exposed")]
    pub(super) access_token: Option<Secret>,
    #[serde(serialize_with = "exposed")]
    pub(super) refresh_token: Option<Secret>,
    pub(super) scope: Option<String>,
    pub(super) obtained_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
fn exposed<S: serde::Serializer>(secret: &Option<Secret>, to: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(to)
}

impl Secrets {
    pub(super) fn access_token(&self) -> Result<Option<AccessToken>, Error> {
        let (scope, expires_at) = (&self.scope, Some(self.expires_at));
        let bearer = |value: &Secret| {
            AccessToken::new(value.expose(), TokenKind::Bearer, scope.clone(), expires_at)
        };
        self.access_token.as_ref().map(bearer).transpose()
    }

    /// What the server gave. It may leave the refresh token as it was.
    pub(super) fn of(tokens: &Tokens, before: Option<Secret>, now: Timestamp) -> Self {
        Self {
            access_token: Some(Secret::new(tokens.access.expose())),
            refresh_token: tokens.refresh.clone().or(before),
            scope: tokens.access.scope().map(str::to_owned),
            obtained_at: now,
            expires_at: tokens.ends.timestamp(),
        }
    }
}

impl Sessions {
    /// The sessions of this program on this computer. Tokens are kept in the keyring (the Secret
    /// Service on Linux, the Keychain on macOS, the Credential Manager on Windows); where there is
    /// none, as on most servers, in a file of mode 0600. [`Session::kept`] says which.
    pub fn of(program: &str) -> Result<Self, Error> {
        let directory = directory(program).ok_or_else(|| Error::Storage {
            what: "there is no home directory to keep anything in".to_owned(),
            source: Arc::new(io::ErrorKind::NotFound.into()),
        })?;
        Ok(Self { keyring: true, ..Self::in_files(program, directory) })
    }

    /// The same, in files of this directory alone.
    #[must_use]
    pub fn in_files(program: &str, directory: impl Into<PathBuf>) -> Self {
        let clock = SharedClock::new(SystemClock::new());
        Self { program: program.to_owned(), directory: directory.into(), clock, keyring: false }
    }

    /// Another clock than the system's, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = SharedClock::new(clock);
        self
    }

    /// Keep what somebody signed in for, in place of what was kept for the same issuer and client.
    pub async fn keep(&self, signed_in: SignedIn) -> Result<Session, Error> {
        let SignedIn { login, tokens, person } = signed_in;
        let this = self.clone();
        blocking(move || {
            let Login { issuer, client_id, scope, resources, .. } = login;
            let now = this.clock.moment().now;
            let kept = if this.keyring { Kept::Keyring } else { Kept::File };
            let record =
                Record { issuer, client_id, scope, resources, person, kept, signed_in_at: now };
            let mut session = Session::new(this, record);
            let _lock = session.lock()?;
            session.replace(&Secrets::of(&tokens, None, now))?;
            Ok(session)
        })
        .await
    }

    /// The session in which somebody signed in last.
    pub async fn last(&self) -> Result<Option<Session>, Error> {
        let sessions = self.all().await?;
        Ok(sessions.into_iter().max_by_key(Session::signed_in_at))
    }

    /// The session of this client at this issuer.
    pub async fn find(&self, issuer: &str, client_id: &str) -> Result<Option<Session>, Error> {
        let sessions = self.all().await?;
        Ok(sessions.into_iter().find(|session| session.is_of(issuer, client_id)))
    }

    /// Every session that is kept.
    pub async fn all(&self) -> Result<Vec<Session>, Error> {
        let this = self.clone();
        blocking(move || {
            let entries = match fs::read_dir(&this.directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries.map_err(|error| storage("read", &this.directory, error))?,
            };
            let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
            let records =
                paths.filter(|path| path.extension().is_some_and(|ending| ending == "session"));
            let read = |path: PathBuf| read_file::<Record>(&path).transpose();
            let session = |record| Session::new(this.clone(), record);
            records.filter_map(read).map(|record| record.map(session)).collect()
        })
        .await
    }
}

/// The files of a session, and its entry in the keyring. Everything here waits for the disk.
impl Session {
    fn id(&self) -> String {
        let record = self.record();
        let hash = Sha256::digest(format!("{}\n{}", record.issuer, record.client_id));
        BASE64.encode(&hash[..12])
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.sessions().directory.join(format!("{}.{ending}", self.id()))
    }

    pub(super) fn lock(&self) -> Result<Lock, Error> {
        make_directory(&self.sessions().directory)?;
        let path = self.path("lock");
        Lock::take(&path).map_err(|error| storage("lock", &path, error))
    }

    /// What is kept, if it still is.
    pub(super) fn read(&self) -> Result<Option<Secrets>, Error> {
        match self.record().kept {
            Kept::File => read_file(&self.path("tokens")),
            Kept::Keyring => match self.entry().and_then(|entry| entry.get_secret()) {
                Ok(secret) => Ok(serde_json::from_slice(&secret).ok()),
                Err(keyring::Error::NoEntry) => Ok(None),
                Err(error) => Err(no_keyring(error)),
            },
        }
    }

    /// Keep these where those before them are.
    pub(super) fn write(&self, secrets: &Secrets) -> Result<(), Error> {
        match self.record().kept {
            Kept::File => write_file(&self.path("tokens"), secrets),
            Kept::Keyring => self.write_to_keyring(secrets).map_err(no_keyring),
        }
    }

    /// Keep these and the record: in the keyring if there is one, and in a file otherwise.
    fn replace(&mut self, secrets: &Secrets) -> Result<(), Error> {
        if let Err(error) = self.write(secrets) {
            if self.record().kept == Kept::File {
                return Err(error);
            }
            tracing::debug!(%error, "there is no keyring here");
            self.record_mut().kept = Kept::File;
            self.write(secrets)?;
        }
        if self.record().kept == Kept::Keyring {
            remove_file(&self.path("tokens"))?;
        }
        write_file(&self.path("session"), self.record())
    }

    fn write_to_keyring(&self, secrets: &Secrets) -> keyring::Result<()> {
        let entry = self.entry()?;
        match entry.set_secret(&json(secrets)) {
            // Windows has room for 2,560 bytes.
            Err(keyring::Error::TooLong(..)) => {
                entry.set_secret(&json(&Secrets { access_token: None, ..secrets.clone() }))
            }
            done => done,
        }
    }

    fn entry(&self) -> keyring::Result<keyring::Entry> {
        keyring::Entry::new(&self.sessions().program, &self.id())
    }

    /// Forget it. The record goes first: without it nothing is looked for.
    pub(super) fn remove(&self) -> Result<(), Error> {
        remove_file(&self.path("session"))?;
        remove_file(&self.path("tokens"))?;
        if self.record().kept == Kept::Keyring {
            match self.entry().and_then(|entry| entry.delete_credential()) {
                Ok(()) | Err(keyring::Error::NoEntry) => {}
                Err(error) => return Err(no_keyring(error)),
            }
        }
        Ok(())
    }
}

/// Waiting for the disk, the keyring or a lock holds up a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    deed: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(deed).await {
        Ok(result) => result,
        Err(error) => Err(Error::Storage {
            what: "the runtime is ending".to_owned(),
            source: Arc::new(io::Error::other(error)),
        }),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where programs keep their state")]
fn directory(program: &str) -> Option<PathBuf> {
    let path = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        path("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        path("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        path("XDG_STATE_HOME").or_else(|| path("HOME").map(|home| home.join(".local/state")))
    };
    base.map(|base| base.join(program))
}

fn make_directory(path: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| storage("make", path, error))
}

fn read_file<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // What cannot be understood is of another version: signing in again replaces it.
        read => {
            Ok(serde_json::from_slice(&read.map_err(|error| storage("read", path, error))?).ok())
        }
    }
}

/// Whoever reads meanwhile sees the old file or the new one, and a crash leaves one of the two.
fn write_file(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let beside = path.with_extension(format!("{}.new", random::word()));
    let write = || {
        let mut options = fs::OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(&json(value))?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&beside);
        storage("write", path, error)
    })
}

fn remove_file(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(storage("remove", path, error))
        }
        _ => Ok(()),
    }
}

fn json(value: &impl Serialize) -> zeroize::Zeroizing<Vec<u8>> {
    serde_json::to_vec(value).expect("strings and numbers are JSON").into()
}

fn storage(deed: &str, path: &Path, error: io::Error) -> Error {
    Error::Storage { what: format!("cannot {deed} {}", path.display()), source: Arc::new(error) }
}

fn no_keyring(error: keyring::Error) -> Error {
    let what = "cannot use the keyring".to_owned();
    Error::Storage { what, source: Arc::new(io::Error::other(error)) }
}

//! The limits: what the machine can do when nothing else is asked of it, on the server's core.

use std::{
    fs::File,
    hint::black_box,
    io::Write,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use argon2::{Argon2, Params};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use axum::{Router, extract::Path as InPath, http::header, routing::any};

use rustix::time::{ClockId, clock_gettime};

use crate::{cores::Cores, figures::in_a_row};

/// As long as what is signed of a token.
const MESSAGE: [u8; 440] = [b'm'; 440];

/// How often something can be done in a second, and the seconds on the processor that it takes: on a
/// machine that others use, these are not each other's inverse.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) per_second: f64,
    pub(crate) cpu: f64,
}

impl Limit {
    /// Both, one after the other.
    pub(crate) fn and(self, other: Self) -> Self {
        let per_second = in_a_row(&[self.per_second, other.per_second]);
        Self { per_second, cpu: self.cpu + other.cpu }
    }

    /// So many times.
    pub(crate) fn times(self, times: u8) -> Self {
        let times = f64::from(times);
        Self { per_second: self.per_second / times, cpu: self.cpu * times }
    }

    /// What was measured twice.
    pub(crate) fn between(self, other: Self) -> Self {
        let per_second = f64::midpoint(self.per_second, other.per_second);
        Self { per_second, cpu: f64::midpoint(self.cpu, other.cpu) }
    }
}

/// What signs, verifies and hashes, ready to be measured again and again.
pub(crate) struct Limits {
    cores: Cores,
    length: Duration,
    rsa: RsaKeyPair,
    rsa_public: ParsedPublicKey,
    rsa_signature: Vec<u8>,
    p256: EcdsaKeyPair,
}

impl Limits {
    pub(crate) fn new(cores: Cores, length: Duration) -> anyhow::Result<Self> {
        let failed = |_| anyhow!("the cryptographic library failed");
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let public = rsa.public_key().as_ref().to_vec();
        let rsa_public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .map_err(|why| anyhow!("{why}"))?;
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
        let rsa_signature = sign(&rsa);
        Ok(Self { cores, length, rsa, rsa_public, rsa_signature, p256 })
    }

    /// RS256 signatures in a second.
    pub(crate) fn rs256_signatures(&self) -> anyhow::Result<Limit> {
        self.rate(|| drop(black_box(sign(&self.rsa))))
    }

    /// ES256 signatures in a second.
    pub(crate) fn es256_signatures(&self) -> anyhow::Result<Limit> {
        let random = SystemRandom::new();
        self.rate(|| {
            let _ = black_box(self.p256.sign(&random, black_box(&MESSAGE)));
        })
    }

    /// RS256 signatures that are verified in a second, with a key that was parsed before.
    pub(crate) fn rs256_verifications(&self) -> anyhow::Result<Limit> {
        self.rate(|| {
            let _ = black_box(self.rsa_public.verify_sig(&MESSAGE, &self.rsa_signature));
        })
    }

    /// Passwords that are hashed in a second, with the parameters that the server uses.
    pub(crate) fn argon2_hashes(&self) -> anyhow::Result<Limit> {
        let params = Params::new(19_456, 2, 1, Some(32)).map_err(|why| anyhow!("{why}"))?;
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let mut hash = [0; 32];
        self.rate(|| {
            let _ = black_box(argon2.hash_password_into(b"correct horse", &[7; 16], &mut hash));
        })
    }

    /// Times in a second that a few kilobytes reach the disk.
    pub(crate) fn syncs(&self, directory: &Path) -> anyhow::Result<f64> {
        let mut file = File::create(directory.join("sync"))?;
        let mut failed = Ok(());
        let limit = self.rate(|| {
            if let Err(why) = file.write_all(&[7; 4096]).and_then(|()| file.sync_data()) {
                failed = Err(why);
            }
        })?;
        failed?;
        Ok(limit.per_second)
    }

    fn rate(&self, mut once: impl FnMut()) -> anyhow::Result<Limit> {
        self.cores.as_server(|| {
            once();
            let (began, spent) = (Instant::now(), on_the_processor());
            let mut times = 0_u32;
            while began.elapsed() < self.length {
                once();
                times += 1;
            }
            let (spent, took) = (on_the_processor() - spent, began.elapsed());
            let times = f64::from(times);
            Limit { per_second: times / took.as_secs_f64(), cpu: spent / times }
        })
    }
}

fn on_the_processor() -> f64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(spent).unwrap_or_default().as_secs_f64()
}

fn sign(key: &RsaKeyPair) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    let random = SystemRandom::new();
    key.sign(&RSA_PKCS1_SHA256, &random, black_box(&MESSAGE), &mut signature)
        .expect("there is memory for a signature");
    signature
}

/// A server that answers with as many bytes as the path says, and does nothing else.
pub(crate) struct Static {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// The argument with which this program is that server.
pub(crate) const STATIC: &str = "static-server";

impl Static {
    /// Start it on the server's core.
    pub(crate) fn start(cores: &Cores) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(STATIC).stdout(Stdio::piped()).stdin(Stdio::piped());
        let mut child = cores.as_server(|| command.spawn())??;
        let mut line = String::new();
        let output = child.stdout.take().context("the child has an output")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)?;
        Ok(Self { address: line.trim().parse()?, child })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Static {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Be that server, until somebody ends this process.
pub(crate) async fn serve_static() -> anyhow::Result<()> {
    let answer = |InPath(length): InPath<usize>| async move {
        ([(header::CONTENT_TYPE, "application/json")], "j".repeat(length))
    };
    let router: Router = Router::new().route("/{length}", any(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

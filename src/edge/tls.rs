//! TLS, with a certificate that is read again when it is renewed.

use std::{fs, io, path::PathBuf, sync::Arc, time::SystemTime};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// A certificate that cannot be used. The text names the file and says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(String);

/// What ends TLS.
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
}

/// The certificate in force, and where the next one will be.
#[derive(Debug)]
struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
    read_at: ArcSwap<Option<SystemTime>>,
}

impl Tls {
    /// Read the certificate chain and its private key, both in PEM form.
    ///
    /// # Errors
    /// When a file cannot be read, or the key is not the certificate's.
    pub fn open(chain: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let written_at = written_at(&chain, &key);
        let current = ArcSwap::from_pointee(read(&chain, &key)?);
        let read_at = ArcSwap::from_pointee(written_at);
        let certificate = Arc::new(Certificate { chain, key, current, read_at });

        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| TlsError(format!("TLS cannot be set up: {why}")))?
            .with_no_client_auth()
            .with_cert_resolver(certificate.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
    }

    /// Take up a renewed certificate, if the files have changed. Until both fit each other, the old
    /// one stays.
    ///
    /// # Errors
    /// When the new files cannot be used.
    pub fn renew(&self) -> Result<bool, TlsError> {
        let Certificate { chain, key, current, read_at } = &*self.certificate;
        let written_at = written_at(chain, key);
        if written_at == **read_at.load() {
            return Ok(false);
        }
        current.store(Arc::new(read(chain, key)?));
        read_at.store(Arc::new(written_at));
        Ok(true)
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn read(chain: &PathBuf, key: &PathBuf) -> Result<CertifiedKey, TlsError> {
    let shown = chain.display();
    let unreadable = |why| TlsError(format!("tls_certificate: {shown} cannot be read: {why}"));
    let certificates: Vec<_> = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .map_err(|why| unreadable(why.to_string()))?;
    if certificates.is_empty() {
        return Err(unreadable("it holds no certificate in PEM form".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|why| {
        let shown = key.display();
        TlsError(format!("tls_key: {shown} holds no private key that can be read: {why}"))
    })?;
    let signing = aws_lc_rs::sign::any_supported_type(&private)
        .map_err(|why| TlsError(format!("tls_key: {}: {why}", key.display())))?;
    let certified = CertifiedKey::new(certificates, signing);
    certified.keys_match().map_err(|why| {
        let shown = (chain.display(), key.display());
        TlsError(format!("{} is not the certificate of the key {}: {why}", shown.0, shown.1))
    })?;
    Ok(certified)
}

/// When the younger of the two files was written.
fn written_at(chain: &PathBuf, key: &PathBuf) -> Option<SystemTime> {
    let written = |file| fs::metadata(file).and_then(|meta| meta.modified()).ok();
    written(chain).max(written(key))
}

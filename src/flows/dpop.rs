//! Proofs of possession: check them, and see that each is used once on all nodes together.

use super::{App, Result};
use crate::protocol::{
    OAuthError,
    dpop::{self, Call, Nonce, Possession, ProofHeader},
};

/// What a request with this method to `endpoint`, a path of ours, proves of a key, perhaps beside an
/// access token. The proof counts once it has been [`spend`] that finds it unused.
pub fn prove(
    app: &App,
    header: &ProofHeader,
    method: &str,
    endpoint: &str,
    access_token: Option<&str>,
) -> std::result::Result<Possession, OAuthError> {
    let now = app.clock.now();
    let nonces = app.config.tokens.dpop_nonce.then(|| {
        let nonces = dpop::nonce_slots(now).into_iter().flat_map(|slot| {
            let until = dpop::nonce_end(slot);
            app.keys.dpop_nonces(slot).into_iter().map(move |text| Nonce { text, until })
        });
        nonces.collect::<Vec<_>>()
    });
    let uri = app.issuer().join(endpoint);

    dpop::prove(header, &Call { method, uri: &uri, access_token }, nonces.as_deref(), now)
}

/// Use up a proof: one write, and none where there is no proof. It comes after every check that needs
/// no write, so that a stranger's proofs cost no row.
pub async fn spend(app: &App, possession: &Possession) -> Result<()> {
    if let Possession::Proven(proof) = possession {
        let first = app.store.remember_proof(&proof.id, proof.until).await?;
        proof.first_use(first)?;
    }
    Ok(())
}

/// The nonce for the next proofs, where we ask for one. All nodes give the same.
#[must_use]
pub fn nonce(app: &App) -> Option<String> {
    let asked = app.config.tokens.dpop_nonce;
    asked.then(|| app.keys.dpop_nonces(dpop::nonce_slot(app.clock.now())).swap_remove(0))
}

//! Which name does a key have? Reads a private key as PEM and writes its public JWK.
//!
//! `openssl genpkey -algorithm ed25519 | cargo run --example thumbprint`

use std::io::{Write, read_to_string, stdin, stdout};

use signet_jwt::SigningKey;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (key, _pkcs8) = SigningKey::from_pem(&read_to_string(stdin())?, None)?;

    writeln!(stdout(), "{:#}", key.public().to_jwk())?;
    Ok(())
}

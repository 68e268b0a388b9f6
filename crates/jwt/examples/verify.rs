//! Is this access token good? Checks one offline, as an API does, and writes its claims.
//!
//! ```sh
//! curl -s https://id.example.com/jwks > keys.json
//! printf '%s' "$TOKEN" |
//!   cargo run -p signet-jwt --example verify -- keys.json https://id.example.com https://api.example.com
//! ```

use std::{
    env, fs,
    io::{Write, read_to_string, stdin, stdout},
    time::{SystemTime, UNIX_EPOCH},
};

use signet_jwt::{Algorithm, Expected, Expiry, KeySet, Timestamp, Typ, Unverified};

#[expect(
    clippy::disallowed_methods,
    reason = "a program reads the clock; the library is handed the time"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, issuer, audience] = arguments.as_slice() else {
        return Err("give a file with a key set, the issuer and the audience".into());
    };
    let keys = KeySet::parse(&fs::read_to_string(file)?)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();

    let expected = Expected {
        typ: Typ::Is("at+jwt"),
        issuer: Some(issuer),
        audience: Some(&[audience]),
        algorithms: &[Algorithm::Rs256],
        expiry: Expiry::Required,
        now: Timestamp(i64::try_from(now)?),
        leeway: 30,
        ahead: 30,
    };
    let token = read_to_string(stdin())?;
    let verified =
        Unverified::parse(token.trim())?.verify::<serde_json::Value>(&keys, &expected)?;

    writeln!(stdout(), "{:#}", verified.claims())?;
    Ok(())
}

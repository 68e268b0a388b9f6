//! Words read back as they were written.

#![expect(clippy::unwrap_used, reason = "these are tests, their helpers included")]

use std::{fmt::Display, str::FromStr};

use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use signet_jwt::{Algorithm, Audience, Issuer, KeyId, Scope, Thumbprint, Timestamp};

fn returns<W>(word: &W)
where
    W: FromStr<Err: std::fmt::Debug> + Display + PartialEq + std::fmt::Debug,
{
    assert_eq!(&word.to_string().parse::<W>().unwrap(), word);
}

fn travels<W: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(word: &W) {
    let json = serde_json::to_string(word).unwrap();
    assert_eq!(&serde_json::from_str::<W>(&json).unwrap(), word);
}

proptest! {
    #[test]
    fn scopes_return(tokens in prop::collection::btree_set("[!#-\\[\\]-~]{1,12}", 1..20)) {
        let scope = Scope::from_tokens(&tokens).unwrap();
        returns(&scope);
        travels(&scope);
        prop_assert!(tokens.iter().all(|token| scope.contains(token)));
    }

    #[test]
    fn key_ids_return(text in "[!-~]{1,256}") {
        let kid: KeyId = text.parse().unwrap();
        returns(&kid);
        travels(&kid);
    }

    #[test]
    fn thumbprints_return(hash: [u8; 32]) {
        returns(&Thumbprint::from(hash));
        travels(&Thumbprint::from(hash));
    }

    #[test]
    fn issuers_return(host in "[a-z]{1,9}(\\.[a-z]{1,9}){0,2}", path in "(/[a-z0-9-]{1,9}){0,3}") {
        let issuer: Issuer = format!("https://{host}{path}").parse().unwrap();
        returns(&issuer);
        travels(&issuer);
        prop_assert_eq!(issuer.path(), path);
        prop_assert_eq!(issuer.origin(), format!("https://{host}"));
    }

    #[test]
    fn audiences_travel(names in prop::collection::vec(".+", 1..5)) {
        travels(&Audience::new(names).unwrap());
    }

    #[test]
    fn timestamps_travel(seconds: i64) {
        travels(&Timestamp(seconds));
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in ".*") {
        let _ = text.parse::<Issuer>();
        let _ = text.parse::<Scope>();
        let _ = text.parse::<KeyId>();
        let _ = text.parse::<Thumbprint>();
        let _ = text.parse::<Algorithm>();
    }
}

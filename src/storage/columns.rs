//! How each value is kept in a column, all in one table. Values themselves know nothing of SQL, and
//! what a column holds becomes a value again only through the value's own parser.

use std::collections::BTreeSet;

use ipnet::IpNet;
use signet_jwt::KeySet;
use sqlx::{ColumnIndex, Decode, Row, Type, error::BoxDynError};

use crate::{
    model::{Change, ClaimsRequest, GrantType, Revoked},
    values::{
        Acr, Algorithm, Amr, ApiKeyId, Binding, ClientId, CodeChallenge, CodeId, DeviceId, Email,
        FamilyId, GroupId, GroupName, Invalid, KeyId, PasswordHash, Permission, PostLogoutUri,
        Profile, RedirectUri, Resource, RevocationId, Role, RoleId, Scope, SessionId, StatusPlace,
        Thumbprint, Timestamp, TokenHash, UserId, Username, WebUri,
    },
};

/// A value that has a place in a column.
pub(super) trait Column: Sized {
    /// What the column holds: something that both engines know.
    type Kept;

    /// The value as it is kept.
    fn kept(&self) -> Self::Kept;

    /// The value that was kept.
    fn read(kept: Self::Kept) -> Result<Self, BoxDynError>;
}

/// The value in one column of a row.
pub(super) fn column<'r, R, T>(row: &'r R, name: &'static str) -> sqlx::Result<T>
where
    R: Row,
    T: Column,
    T::Kept: Decode<'r, R::Database> + Type<R::Database>,
    &'static str: ColumnIndex<R>,
{
    T::read(row.try_get(name)?).map_err(|why| corrupt(name, why))
}

/// A column holds something that no version of this program has put there.
pub(super) fn corrupt(name: &str, source: impl Into<BoxDynError>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: name.to_owned(), source: source.into() }
}

macro_rules! kept_as {
    ($kept:ty, $put:expr, $take:expr => $($value:ty)*) => { $(
        impl Column for $value {
            type Kept = $kept;

            fn kept(&self) -> $kept {
                let put: fn(&Self) -> $kept = $put;
                put(self)
            }

            fn read(kept: $kept) -> Result<Self, BoxDynError> {
                let take: fn($kept) -> Result<Self, BoxDynError> = $take;
                take(kept)
            }
        }
    )* };
}

// As they are.
kept_as! { Self, Clone::clone, Ok => String i64 bool Vec<u8> }

// As their text.
kept_as! { String, ToString::to_string, |text| Ok(text.parse()?) =>
    Acr Algorithm ApiKeyId Change ClientId CodeChallenge CodeId DeviceId Email FamilyId GroupId GroupName KeyId PasswordHash
    Resource RevocationId Revoked Role RoleId SessionId Thumbprint UserId Username WebUri
}

// As JSON.
kept_as! { String, to_json, |text| Ok(serde_json::from_str(&text)?) =>
    BTreeSet<Amr> BTreeSet<GrantType> BTreeSet<Permission> BTreeSet<Resource> BTreeSet<Role> BTreeSet<String>
    ClaimsRequest Profile
    Vec<IpNet> Vec<PostLogoutUri> Vec<RedirectUri> Vec<Resource>
}
kept_as! { String, |set| set.to_json().to_string(), |text| Ok(Self::parse(text)?) => KeySet }

// A scope in a request names something; one that is kept may be empty.
kept_as! { String, ToString::to_string, |text| {
    if text.is_empty() { Ok(Self::empty()) } else { Ok(text.parse()?) }
} => Scope }

kept_as! { i64, |time| time.0, |seconds| Ok(Self(seconds)) => Timestamp }

kept_as! { i64, |place| place.number(), |number| {
    Ok(Self::new(number).ok_or(Invalid("place"))?)
} => StatusPlace }

kept_as! { Vec<u8>, |hash| hash.as_bytes().to_vec(), |bytes| {
    Ok(<[u8; 32]>::try_from(bytes).map_err(|_| Invalid("hash"))?.into())
} => TokenHash }

kept_as! { Option<String>, |binding| binding.key().kept(), |key| {
    Ok(Option::<Thumbprint>::read(key)?.into())
} => Binding }

impl<T: Column> Column for Option<T> {
    type Kept = Option<T::Kept>;

    fn kept(&self) -> Self::Kept {
        self.as_ref().map(Column::kept)
    }

    fn read(kept: Self::Kept) -> Result<Self, BoxDynError> {
        kept.map(T::read).transpose()
    }
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("lists of text, and objects of text keys, have a JSON form")
}

//! The part that codes and refresh families share: nine columns of the same names in both tables.

use super::{columns::column, from_row};
use crate::{model::Authorization, values::Authentication};

/// Binds an authorization to nine parameters in a row: `client_id, user_id, session_id, auth_time,
/// acr, amr, scope, resources, claims`.
macro_rules! bind_authorization {
    ($query:expr, $authorization:expr) => {
        $query
            .bind($authorization.client.kept())
            .bind($authorization.user.kept())
            .bind($authorization.authentication.session.kept())
            .bind($authorization.authentication.at.kept())
            .bind($authorization.authentication.acr.kept())
            .bind($authorization.authentication.amr.kept())
            .bind($authorization.scope.kept())
            .bind($authorization.resources.kept())
            .bind($authorization.claims.kept())
    };
}

pub(super) use bind_authorization;

from_row!(Authorization, |row| Ok(Self {
    client: column(row, "client_id")?,
    user: column(row, "user_id")?,
    authentication: Authentication {
        session: column(row, "session_id")?,
        at: column(row, "auth_time")?,
        acr: column(row, "acr")?,
        amr: column(row, "amr")?,
    },
    scope: column(row, "scope")?,
    resources: column(row, "resources")?,
    claims: column(row, "claims")?,
}));

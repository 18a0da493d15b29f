//! Signs identity assertions: JWTs by which a guarded API verifies who makes a request, and that it
//! was allowed.

use std::collections::BTreeMap;
use std::time::Duration;

use gatewright_policy::TokenId;

use crate::core::iam::Iam;
use crate::engine::claims::AssertionClaims;
use crate::model::caller::{Context, Principal};
use crate::model::error::IamError;
use crate::model::secret::Secret;

/// The lifetime of an identity assertion: it covers the way from the proxy to the API.
const LIFETIME: Duration = Duration::from_mins(1);

/// A request that was allowed, as the proxy received it.
pub(crate) struct AllowedRequest<'r> {
    /// The name of the guarded API.
    pub(crate) api: &'r str,
    pub(crate) method: &'r str,
    /// The path and the query.
    pub(crate) target: &'r str,
    /// The headers that name the resources, with their values.
    pub(crate) headers: BTreeMap<&'r str, &'r str>,
}

impl Iam {
    /// Signs the identity assertion of a request that was allowed. It counts for one API and for
    /// what was decided on, so whoever learns it can make no other request with it.
    pub(crate) fn sign_assertion(
        &self,
        context: &Context,
        request: &AllowedRequest<'_>,
    ) -> Result<Secret, IamError> {
        let principal: &Principal = &context.principal;
        let iss = self.tokens.issuer.as_str();
        let (path, _) = request.target.split_once('?').unwrap_or((request.target, ""));
        let claims = AssertionClaims {
            iss,
            aud: &format!("{iss}/v2/iam/api/{}", request.api),
            sub: principal.identity.urn(),
            account: principal.account().as_str(),
            client_id: principal.access_token().ok().map(|token| token.client_id.as_str()),
            token_id: principal.token_id().map(TokenId::as_str),
            method: request.method,
            path,
            headers: &request.headers,
            iat: context.now.seconds(),
            exp: context.now.saturating_add(LIFETIME).seconds(),
            jti: &context.query_id.to_string(),
        };
        self.tokens.signing(context.now, |key| key.assertion(&claims)).map(Secret::from)
    }
}

#[cfg(test)]
mod tests {
    use gatewright_policy::{AccountName, ClientId, Identity, Region};
    use gatewright_store::Store;
    use gatewright_testing::TestDatabase;

    use super::*;
    use crate::engine::claims::Claims;
    use crate::engine::tokens::Tokens;
    use crate::engine::vault::MasterKey;
    use crate::model::settings::Settings;
    use crate::sources::Sources;

    #[tokio::test]
    async fn the_type_alone_keeps_an_assertion_from_being_a_token() {
        let (folder, sources) = (tempfile::tempdir().unwrap(), Sources::system());
        let file = folder.path().join("key");
        MasterKey::create(&file, &sources).unwrap();
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        let settings = Settings::new("https://iam.test".to_owned());
        let (master, now) = (MasterKey::read(&file).unwrap(), sources.now());
        let tokens = Tokens::open(&store, master, &settings, sources).await.unwrap();

        let (account, client) = (AccountName::new("aa11111-ovh"), ClientId::new("EU.1"));
        let identity = Identity::service_account(Region::Eu, &account, &client);
        let iat = now.seconds();
        let (sub, client_id) = (identity.urn(), client.as_str());
        let (iss, scope, exp) = (tokens.issuer.as_str(), "all", iat + 60);
        let claims = Claims { iss, sub, aud: iss, exp, iat, jti: "1", client_id, scope };
        // The same claims, signed as a token, are one.
        let token = tokens.signing(now, |key| key.access_token(&claims)).unwrap();
        tokens.verify(&token).await.unwrap();
        let signed = tokens.signing(now, |key| key.assertion(&claims)).unwrap();
        assert!(matches!(tokens.verify(&signed).await, Err(IamError::BadCredential)));
        let claims = Claims { aud: client_id, ..claims };
        let token = tokens.signing(now, |key| key.id_token(&claims)).unwrap();
        tokens.verify_id_token(&token).await.unwrap();
        let signed = tokens.signing(now, |key| key.assertion(&claims)).unwrap();
        assert!(matches!(tokens.verify_id_token(&signed).await, Err(IamError::BadCredential)));
    }
}

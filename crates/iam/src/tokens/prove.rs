//! Authenticates clients.

use gatewright_policy::{AccountName, ClientId};

use crate::core::iam::Iam;
use crate::core::span::record_account;
use crate::model::client::Flow;
use crate::model::secret::Secret;
use crate::model::token::TokenError;

impl Iam {
    /// Authenticates a client by its secret; returns its account, and the flow by which it gets
    /// tokens.
    pub(crate) async fn prove(
        &self,
        id: &ClientId,
        secret: &Secret,
    ) -> Result<(AccountName, Flow), TokenError> {
        let account = self.views.account_of_client(id).await?;
        let account = account.ok_or(TokenError::InvalidClient)?;
        let view = self.views.get(&account).await?;
        let client = view.clients.get(id.as_str()).filter(|client| secret.is(&client.secret));
        let flow = client.ok_or(TokenError::InvalidClient)?.flow;
        record_account(&account);
        Ok((account, flow))
    }
}

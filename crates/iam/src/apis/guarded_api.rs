//! Declarations of guarded APIs by accounts, beside those in the files of the installation.

use gatewright_policy::{AccountName, Revision, action_type};
use gatewright_store::Kind;
use serde_json::Value;

use crate::catalogue::error::{ApiError, CatalogueError};
use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::guarded_api::{ApiDocument, GuardedApi};
use crate::model::input::Input;
use crate::model::limits::{ACTION_BYTES, API_NAME_BYTES, RESOURCE_TYPE_BYTES, check_bytes};
use crate::model::rights;

/// The maximum number of guarded APIs of an account.
const MOST: usize = 1_000;

/// Creates the error of a declaration that is wrong.
fn wrong(message: String) -> IamError {
    IamError::invalid(Fault::Parameter, message)
}

/// Creates the error of a name that another API has.
fn taken(name: &str) -> IamError {
    let message = format!(
        "there is an API {name} already, or was one of another account: choose another name"
    );
    IamError::Conflict { detail: "AlreadyExists", message }
}

impl Iam {
    /// Lists the guarded APIs of the account, in the order of their first declaration.
    pub async fn guarded_apis(&self, context: &Context) -> Result<Vec<GuardedApi>, IamError> {
        self.demand(context, rights::API_GET).await?;
        let account = context.account();
        let objects =
            self.store.objects_of_kind(account, Kind::Api, Revision::ZERO, i64::MAX).await?;
        objects.iter().map(GuardedApi::read).collect()
    }

    /// Reads a guarded API of the account.
    pub async fn guarded_api(&self, context: &Context, name: &str) -> Result<GuardedApi, IamError> {
        self.demand(context, rights::API_GET).await?;
        let object = self.store.object(context.account(), Kind::Api, name).await?;
        GuardedApi::read(&object.ok_or(IamError::NotFound)?)
    }

    /// Declares a guarded API by its OpenAPI document, or replaces its declaration. The account
    /// owns the resources behind it, and has the name for good, also once it has taken the declaration
    /// back: proxies that name the API must never ask about another account's.
    pub async fn declare_api(
        &self,
        context: &Context,
        name: &str,
        document: Input<Value>,
    ) -> Result<GuardedApi, IamError> {
        self.demand(context, rights::API_EDIT).await?;
        self.demand_grantor(context).await?;
        let account = context.account();
        let document = self.check_declaration(account, name, document)?;
        match self.store.object_of_any_account(Kind::Api, name).await? {
            Some(there) if there.account != *account => return Err(taken(name)),
            Some(_) => {
                let place = self.place(account, name);
                self.change(context, place, |api: &mut ApiDocument| {
                    api.document = document.clone();
                    api.updated_at = Some(context.now);
                    Ok(())
                })
                .await?;
            }
            None => {
                context.check_precondition(|| Ok(None))?;
                let all = self
                    .store
                    .objects_of_kind(account, Kind::Api, Revision::ZERO, i64::MAX)
                    .await?;
                if all.len() >= MOST {
                    return Err(wrong(format!("an account may declare {MOST} APIs at most")));
                }
                let new = ApiDocument { document, created_at: context.now, updated_at: None };
                let change = new.create(self.place(account, name), None)?;
                match self.write(context, vec![change]).await {
                    Err(IamError::Conflict { .. }) => return Err(taken(name)),
                    written => written?,
                }
            }
        }
        // In force before it is acknowledged.
        self.live_catalogue.renew().await?;
        let object = self.store.object(account, Kind::Api, name).await?;
        GuardedApi::read(&object.ok_or(IamError::NotFound)?)
    }

    /// Checks the declaration of a guarded API by an account; returns it with the account that it
    /// names.
    fn check_declaration(
        &self,
        account: &AccountName,
        name: &str,
        document: Input<Value>,
    ) -> Result<Value, IamError> {
        let registrars = &self.settings.registrars;
        let is_registrar = registrars.iter().any(|one| one == account);
        if !registrars.is_empty() && !is_registrar {
            let message = "here, only the registrars declare APIs: ask who runs the server";
            return Err(IamError::Refused(message.to_owned()));
        }
        check_bytes("name", name, API_NAME_BYTES)?;
        let mut document = document?;
        let fields = document.as_object_mut().filter(|fields| fields.contains_key("openapi"));
        let fields = fields.ok_or_else(|| wrong("the body must be an OpenAPI document".into()))?;
        if fields.get("x-iam-api").is_some_and(|said| said != name) {
            return Err(wrong(format!("x-iam-api must be {name}, as in the URL, or left out")));
        }
        let owner = fields.entry("x-iam-account").or_insert_with(|| account.as_str().into());
        if *owner != *account.as_str() && !is_registrar {
            return Err(wrong(format!("x-iam-account must be {account}, or left out")));
        }
        let added = self.live_catalogue.check(name, &document).map_err(|error| match error {
            CatalogueError::Api { source: ApiError::Twice(_), .. } => taken(name),
            error => wrong(error.to_string()),
        })?;
        for action in added {
            check_bytes("x-iam-actions", &action, ACTION_BYTES)?;
            check_bytes("x-iam-actions", action_type(&action), RESOURCE_TYPE_BYTES)?;
        }
        Ok(document)
    }

    /// Deletes the declaration of a guarded API: requests that proxies ask about are denied from
    /// then on.
    pub async fn forget_api(&self, context: &Context, name: &str) -> Result<(), IamError> {
        self.demand(context, rights::API_DELETE).await?;
        let place = self.place(context.account(), name);
        self.delete(context, place, &[], |_: &ApiDocument| Ok(())).await?;
        self.live_catalogue.renew().await
    }
}

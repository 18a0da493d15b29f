//! Declarations of guarded APIs by accounts, beside those in the files of the installation.

use std::collections::BTreeMap;
use std::slice::from_ref;

use gatewright_policy::{AccountName, action_type};
use gatewright_store::Kind;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::catalogue::document::{compact, with_field};
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
pub(crate) const MOST: usize = 1_000;

/// The maximum number of actions and operations that the guarded APIs of an account have together:
/// all of them are in memory, on every node.
pub(crate) const MOST_SIZE: usize = 100_000;

/// The key of a document that names the account which owns the resources.
const OWNER: &str = "x-iam-account";

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
    /// Lists the names of the guarded APIs of the account, in the order of their first declaration.
    pub async fn guarded_apis(&self, context: &Context) -> Result<Vec<String>, IamError> {
        self.demand(context, rights::API_GET).await?;
        Ok(self.store.ids_of_kind(context.account(), Kind::Api).await?)
    }

    /// Reads a guarded API of the account.
    pub async fn guarded_api(&self, context: &Context, name: &str) -> Result<GuardedApi, IamError> {
        self.demand(context, rights::API_GET).await?;
        let object = self.store.object(context.account(), Kind::Api, name).await?;
        GuardedApi::read(&object.ok_or(IamError::NotFound)?)
    }

    /// Declares a guarded API by the text of its OpenAPI document, in JSON, or replaces its declaration.
    /// The account owns the resources behind it, and has the name for good, also once it has taken the
    /// declaration back: proxies that name the API must never ask about another account's.
    ///
    /// Only a few are worked on at once: each takes several times the memory of its document.
    pub async fn declare_api(
        &self,
        context: &Context,
        name: &str,
        document: Input<String>,
    ) -> Result<GuardedApi, IamError> {
        self.demand(context, rights::API_EDIT).await?;
        self.demand_grantor(context).await?;
        let account = context.account();
        let declaration = async {
            let document = self.check_declaration(account, name, document).await?;
            self.write_declaration(context, name, document).await?;
            // In force before it is acknowledged.
            self.live_catalogue.renew().await?;
            let object = self.store.object(account, Kind::Api, name).await?;
            GuardedApi::read(&object.ok_or(IamError::NotFound)?)
        };
        self.declarations.run(account, declaration).await
    }

    async fn write_declaration(
        &self,
        context: &Context,
        name: &str,
        document: Box<RawValue>,
    ) -> Result<(), IamError> {
        let account = context.account();
        let place = self.place(account, name);
        match self.store.accounts_of(Kind::Api, from_ref(&name)).await?.get(name) {
            Some(owner) if owner != account => Err(taken(name)),
            Some(_) => {
                self.change(context, place, |api: &mut ApiDocument| {
                    api.document = document.clone();
                    api.updated_at = Some(context.now);
                    Ok(())
                })
                .await
            }
            None => {
                context.check_precondition(|| Ok(None))?;
                if self.store.ids_of_kind(account, Kind::Api).await?.len() >= MOST {
                    return Err(wrong(format!("an account may declare {MOST} APIs at most")));
                }
                let new = ApiDocument { document, created_at: context.now, updated_at: None };
                match self.write(context, vec![new.create(place, None)?]).await {
                    Err(IamError::Conflict { .. }) => Err(taken(name)),
                    written => written,
                }
            }
        }
    }

    /// Checks the declaration of a guarded API by an account; returns it with the account that it
    /// names.
    async fn check_declaration(
        &self,
        account: &AccountName,
        name: &str,
        document: Input<String>,
    ) -> Result<Box<RawValue>, IamError> {
        let registrars = &self.settings.registrars;
        let is_registrar = registrars.iter().any(|one| one == account);
        if !registrars.is_empty() && !is_registrar {
            let message = "here, only the registrars declare APIs: ask who runs the server";
            return Err(IamError::Refused(message.to_owned()));
        }
        check_bytes("name", name, API_NAME_BYTES)?;
        let mut document = compact(&document?);
        let not_openapi = || wrong("the body must be an OpenAPI document".into());
        let fields: BTreeMap<String, &RawValue> =
            serde_json::from_str(&document).map_err(|_| not_openapi())?;
        if !fields.contains_key("openapi") {
            return Err(not_openapi());
        }
        let said = |key: &str| {
            fields.get(key).map(|text| serde_json::from_str::<Value>(text.get())).transpose()
        };
        if said("x-iam-api")?.is_some_and(|said| said != name) {
            return Err(wrong(format!("x-iam-api must be {name}, as in the URL, or left out")));
        }
        match said(OWNER)? {
            Some(owner) if owner != *account.as_str() && !is_registrar => {
                return Err(wrong(format!("{OWNER} must be {account}, or left out")));
            }
            Some(_) => {}
            None => document = with_field(&document, OWNER, account.as_str()),
        }
        let document = RawValue::from_string(document)?;
        let declared = self.live_catalogue.check(name, &document).await?;
        let declared = declared.map_err(|error| match error {
            CatalogueError::Api { source: ApiError::Twice(_), .. } => taken(name),
            error => wrong(error.to_string()),
        })?;
        for action in &declared.actions {
            check_bytes("x-iam-actions", &action.name, ACTION_BYTES)?;
            check_bytes("x-iam-actions", action_type(&action.name), RESOURCE_TYPE_BYTES)?;
        }
        if declared.size() + self.live_catalogue.size_of_others(account, name).await > MOST_SIZE {
            return Err(wrong(format!(
                "the APIs of an account may have {MOST_SIZE} actions and operations together"
            )));
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

//! The account.

use gatewright_iam::{AccountName, Profile, Region};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::body_schema::accepted;
use crate::schema::described_as;

/// The identity and the permissions of the caller's token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = auth::Details)]
pub(crate) struct Details {
    pub(crate) account: String,
    pub(crate) allowed_routes: Option<Vec<AllowedRoute>>,
    pub(crate) description: Option<String>,
    pub(crate) identities: Vec<String>,
    pub(crate) method: String,
    pub(crate) roles: Option<Vec<String>>,
    pub(crate) user: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = auth::AccessRule)]
pub(crate) struct AllowedRoute {
    method: String,
    path: String,
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = nichandle::Currency)]
pub(crate) struct Currency {
    code: String,
    symbol: String,
}

/// The contact details of an account (OVHcloud: nichandle).
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = nichandle::Nichandle)]
pub(crate) struct Nichandle {
    address: Option<String>,
    area: Option<String>,
    birth_city: Option<String>,
    birth_day: Option<String>,
    city: Option<String>,
    company_national_identification_number: Option<String>,
    complementary_address: Option<String>,
    corporation_type: Option<String>,
    country: String,
    currency: Currency,
    customer_code: Option<String>,
    email: String,
    fax: Option<String>,
    firstname: Option<String>,
    #[serde(rename = "italianSDI")]
    italian_sdi: Option<String>,
    kyc_validated: Option<bool>,
    language: Option<String>,
    legalform: String,
    name: Option<String>,
    national_identification_number: Option<String>,
    nichandle: String,
    organisation: Option<String>,
    ovh_company: String,
    ovh_subsidiary: String,
    phone: Option<String>,
    phone_country: Option<String>,
    phone_type: Option<String>,
    purpose_of_purchase: Option<String>,
    sex: Option<String>,
    spare_email: Option<String>,
    state: String,
    vat: Option<String>,
    zip: Option<String>,
}

impl Nichandle {
    pub(crate) fn of(
        account: &AccountName,
        profile: &Profile,
        region: Region,
    ) -> Result<Self, serde_json::Error> {
        let fields = profile.contact_details.fields();
        let fields = fields.filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        let fields = serde_json::Value::Object(fields.collect());
        let known: Self = serde_json::from_value(fields)?;
        let (subsidiary, code, symbol) = match region {
            Region::Eu => ("EU", "EUR", "€"),
            Region::Ca => ("CA", "CAD", "$"),
            Region::Us => ("US", "USD", "$"),
        };
        Ok(Self {
            currency: Currency { code: code.to_owned(), symbol: symbol.to_owned() },
            email: profile.email.clone(),
            nichandle: account.to_string(),
            ovh_company: "ovh".to_owned(),
            ovh_subsidiary: subsidiary.to_owned(),
            state: "complete".to_owned(),
            ..known
        })
    }
}

/// The editable fields of an account; clients send whole objects back.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct NichandleEdit(Map<String, Value>);

described_as!(NichandleEdit, Nichandle);

accepted! {
    NichandleEdit as Nichandle;
}

impl From<NichandleEdit> for Map<String, Value> {
    fn from(edit: NichandleEdit) -> Self {
        edit.0
    }
}

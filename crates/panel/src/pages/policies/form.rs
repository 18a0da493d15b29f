//! Fields of the policy form.

use std::hash::{DefaultHasher, Hash, Hasher};

use gatewright_iam::{Fault, IamError, Permissions, Policy, PolicyInput, from_json_value};
use serde_json::{Value, json};

use super::conditions::Conditions;
use crate::fields::Fields;
use crate::format::{add_line, lines};
use crate::text::Texts;

/// Fields of the policy form as texts, with lists of one entry per line, so that no input is lost,
/// be it valid or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct PolicyForm {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) identities: String,
    pub(super) resources: String,
    pub(super) allow: String,
    pub(super) except: String,
    pub(super) deny: String,
    /// URNs of permissions groups.
    pub(super) groups: Vec<String>,
    pub(super) conditions: Conditions,
    pub(super) expiry: String,
}

impl PolicyForm {
    pub(super) fn read(fields: &Fields) -> Self {
        let text = |name| fields.get(name).to_owned();
        let mut identities = text("identities");
        for identity in fields.all("pick-identity") {
            add_line(&mut identities, identity);
        }
        Self {
            name: text("name"),
            description: text("description"),
            identities,
            resources: text("resources"),
            allow: allowed_actions(fields),
            except: text("except"),
            deny: text("deny"),
            groups: fields.all("group").map(str::to_owned).collect(),
            conditions: Conditions::read(fields),
            expiry: text("expiry"),
        }
    }

    pub(super) fn of(policy: Policy) -> Self {
        let rule = policy.rule;
        let conditions = rule.conditions.as_ref().map(|one| json!(one));
        Self {
            name: policy.name,
            description: policy.description.unwrap_or_default(),
            identities: rule.identities.join("\n"),
            resources: rule.resources.join("\n"),
            allow: rule.permissions.allow.join("\n"),
            except: rule.permissions.except.join("\n"),
            deny: rule.permissions.deny.join("\n"),
            groups: rule.permissions_groups,
            conditions: Conditions::of(&conditions.unwrap_or(Value::Null)),
            expiry: policy.expired_at.unwrap_or_default(),
        }
    }

    /// Returns the fingerprint of the form, which tells it from every other form.
    pub(super) fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Converts the form to the input of use cases.
    pub(super) fn input(&self, texts: &Texts) -> Result<PolicyInput, IamError> {
        if self.conditions.has_empty() {
            return Err(IamError::invalid(Fault::Missing, texts.say("condition-empty")));
        }
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let conditions = match self.conditions.value()? {
            Value::Null => None,
            value => Some(from_json_value(value).map_err(|error| {
                IamError::invalid(Fault::Format, format!("\"conditions\": {error}"))
            })?),
        };
        Ok(PolicyInput {
            name: self.name.clone(),
            description: some(&self.description),
            identities: lines(&self.identities),
            resources: lines(&self.resources),
            permissions: Permissions {
                allow: lines(&self.allow),
                except: lines(&self.except),
                deny: lines(&self.deny),
            },
            permissions_groups: self.groups.clone(),
            conditions,
            expired_at: some(&self.expiry),
        })
    }
}

/// Reads the allowed actions: the list, plus the boxes that were ticked, minus those that were
/// cleared. An unchanged box says nothing: its action may have been removed from the list.
fn allowed_actions(fields: &Fields) -> String {
    let picked: Vec<&str> = fields.all("pick").collect();
    let before: Vec<&str> = fields.all("was").collect();
    let mut allow = lines(fields.get("allow"));
    allow.retain(|one| picked.contains(&one.as_str()) || !before.contains(&one.as_str()));
    let mut allow = allow.join("\n");
    for action in picked.iter().filter(|action| !before.contains(action)) {
        add_line(&mut allow, action);
    }
    allow
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::text::Catalogues;

    /// A form with a value in every field.
    pub(in crate::pages::policies) fn whole() -> PolicyForm {
        PolicyForm {
            name: "9 to 5/x".to_owned(),
            description: "says \"${this}\"".to_owned(),
            identities: "urn:v1:eu:identity:user:xx1-ovh/a\nurn:v1:eu:identity:group:xx1-ovh/b"
                .to_owned(),
            resources: "urn:v1:eu:resource:vps:*".to_owned(),
            allow: "vps:apiovh:*".to_owned(),
            except: "vps:apiovh:terminate".to_owned(),
            deny: "vps:apiovh:reinstall".to_owned(),
            groups: vec!["urn:v1:eu:permissionsGroup:ovh:globalReadOnly".to_owned()],
            conditions: Conditions::of(&json!({"operator": "AND", "conditions": [
                {"operator": "MATCH", "values": {"resource.Tag(env)": "test"}},
            ]})),
            expiry: "2027-01-01T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn a_box_changes_the_list_only_where_it_was_changed() {
        let text = "allow=a%0Ab%0Ac&was=a&was=b&was=gone&pick=b&pick=new";
        let form = PolicyForm::read(&Fields::parse(text.as_bytes()));
        assert_eq!(lines(&form.allow), ["b", "c", "new"]);
    }

    #[test]
    fn conditions_that_are_no_json_are_refused_and_kept() {
        let conditions = Conditions::Text("{".to_owned());
        let form = PolicyForm { conditions, ..whole() };
        let texts = Catalogues::load().unwrap().choose("en");
        assert!(form.input(&texts).is_err());
        assert_eq!(form.conditions.text(), "{");
        assert!(whole().input(&texts).is_ok());
    }

    #[test]
    fn a_condition_that_looks_at_nothing_is_told_in_the_words_of_the_form() {
        let texts = Catalogues::load().unwrap().choose("fr");
        for act in ["match", "group"] {
            let mut conditions = Conditions::None;
            conditions.change(act, "");
            conditions.change("match", "0");
            let form = PolicyForm { conditions, ..whole() };
            let error = form.input(&texts).map(|_| ()).unwrap_err();
            assert_eq!(
                error.to_string(),
                "Une condition ne regarde rien : remplissez-la ou retirez-la."
            );
        }
    }
}

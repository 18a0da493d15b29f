//! Rights that lead to all others, and rights that do not.

use std::collections::BTreeMap;

use gatewright_iam::{
    ClientEdit, ClientId, ClientInput, Context, Expiry, Flow, GroupInput, GroupName, Login, Member,
    NewResource, Permissions, PermissionsGroupInput, PolicyId, PolicyInput, ResourceGroupId,
    ResourceGroupInput, Role, SecondFactor, SessionToken, UserEdit, UserInput, UserTokenEdit,
    UserTokenInput, rights,
};
use gatewright_store::{Act, Author, Change, Kind, Store};

use crate::decisions::forwarded;
use crate::installation::{
    ACCOUNT, Caller, Installation, PASSWORD, REBOOT, VPS, account_urn, grant, texts, unread,
};
use crate::sign_in::secret;

const EVERYTHING: &str = "urn:v1:eu:resource:*";

/// Rights that none of the attempts below has by itself.
const PROBES: [(&str, Probe); 3] = [
    (REBOOT, Probe::Vps),
    (rights::AUDIT_GET, Probe::Account),
    (rights::TAG_REMOVE, Probe::Account),
];

#[derive(Clone, Copy)]
enum Probe {
    Vps,
    Account,
}

/// An account in which jane has one right, and policies that name her and hold nothing yet.
struct OneRight {
    installation: Installation,
    jane: SessionToken,
    urn: String,
    /// The policy of her right.
    policy: PolicyId,
    /// A policy of hers that names an empty permissions group, a missing one, an empty resource group and
    /// all resource groups.
    permissions_group: String,
    resource_group: ResourceGroupId,
    /// A service account with all rights, which is disabled.
    service: ClientId,
}

fn permissions_group(name: &str, allow: &[&str]) -> PermissionsGroupInput {
    PermissionsGroupInput {
        name: name.to_owned(),
        description: String::new(),
        permissions: Permissions { allow: texts(allow), ..Permissions::default() },
    }
}

fn group(name: &str, role: Role) -> GroupInput {
    GroupInput { name: name.to_owned(), description: None, role: Some(role) }
}

fn token_input() -> UserTokenInput {
    UserTokenInput { name: "t".to_owned(), description: String::new(), expiry: Expiry::Never }
}

impl OneRight {
    async fn new(right: &str) -> Self {
        let installation = Installation::new().await;
        let (iam, owner) = (&installation.iam, installation.owner());
        installation.resource(VPS, &[]).await;
        for name in ["ops", "spare"] {
            iam.create_group(&owner, Ok(group(name, Role::None))).await.unwrap();
        }
        let user = |login: &str, group: &str| UserInput {
            login: login.to_owned(),
            password: Some(secret(PASSWORD)),
            groups: vec![GroupName::new(group)],
            ..UserInput::default()
        };
        let urn = iam.create_user(&owner, Ok(user("jane", "ops"))).await.unwrap().urn;
        for login in ["boss", "former"] {
            iam.create_user(&owner, Ok(user(login, "ADMIN"))).await.unwrap();
        }
        iam.disable_user(&owner, &Login::new("former")).await.unwrap();
        iam.create_user_token(&owner, &Login::new("boss"), Ok(token_input())).await.unwrap();
        let service = installation.stranger().await;
        installation.allow(&service.urn(), &["*"], &[EVERYTHING]).await;
        iam.disable_client(&owner, &service.client.id).await.unwrap();
        let empty = permissions_group("empty", &[]);
        let permissions_group = iam.create_permissions_group(&owner, Ok(empty)).await.unwrap().urn;
        let empty = ResourceGroupInput { name: "empty".to_owned(), resources: Vec::new() };
        let resource_group = iam.create_resource_group(&owner, Ok(empty)).await.unwrap().id;
        let missing = permissions_group.replace("empty", "missing");
        let by_groups = PolicyInput {
            name: "by-groups".to_owned(),
            identities: vec![urn.clone()],
            resources: texts(&[EVERYTHING]),
            permissions_groups: vec![permissions_group.clone(), missing],
            ..PolicyInput::default()
        };
        iam.create_policy(&owner, Ok(by_groups)).await.unwrap();
        let group = format!("urn:v1:eu:resourceGroup:{resource_group}");
        installation.allow(&urn, &["*"], &[&group, "urn:v1:eu:resourceGroup:*"]).await;
        let policy = installation.allow(&urn, &[right], &[&account_urn()]).await.rule.id;
        let jane = installation.signed_in(&format!("{ACCOUNT}/jane")).await;
        let service = service.client.id;
        Self { installation, jane, urn, policy, permissions_group, resource_group, service }
    }

    async fn jane(&self) -> Context {
        self.installation.context_in(&self.jane).await.1
    }

    /// Counts the probes that somebody may do.
    async fn reach(&self, context: &Context) -> usize {
        let mut reached = 0;
        for (action, on) in PROBES {
            let urn = match on {
                Probe::Vps => VPS.to_owned(),
                Probe::Account => account_urn(),
            };
            reached += usize::from(self.installation.may(context, action, &urn).await);
        }
        reached
    }

    /// Deletes a group with members, as an older version could.
    async fn forget_group(&mut self, name: &str) {
        let address = self.installation.address().parse().unwrap();
        let store = Store::open(&address).await.unwrap();
        let owner = self.installation.owner();
        let change = Change {
            kind: Kind::Group,
            id: format!("{ACCOUNT}/{name}"),
            act: Act::Delete { from: None },
        };
        let (ip, query_id) = (None, "old".to_owned());
        let at = self.installation.now();
        let author = Author { actor: "old".to_owned(), ip, query_id, at };
        store.write(owner.account(), &author, &[change]).await.unwrap();
        store.close().await;
        self.installation.iam = self.installation.elsewhere().await;
    }

    /// Uses the one right of jane to get all others; returns the context of whoever has them then.
    async fn escalate(&mut self, right: &str) -> Context {
        if right == rights::GROUP_CREATE {
            self.forget_group("ops").await;
        }
        let jane = self.jane().await;
        let iam = &self.installation.iam;
        let all = PolicyInput {
            name: "all".to_owned(),
            identities: vec![self.urn.clone()],
            resources: texts(&[EVERYTHING]),
            permissions: Permissions { allow: texts(&["*"]), ..Permissions::default() },
            ..PolicyInput::default()
        };
        let members = [account_urn(), VPS.to_owned()].map(Member::Urn).into();
        let resources = ResourceGroupInput { name: "all".to_owned(), resources: members };
        let admin = || vec![GroupName::new("ADMIN")];
        match right {
            rights::POLICY_CREATE => drop(iam.create_policy(&jane, Ok(all)).await.unwrap()),
            rights::POLICY_EDIT => {
                drop(iam.edit_policy(&jane, Ok(self.policy), Ok(all)).await.unwrap());
            }
            rights::PERMISSIONS_GROUP_CREATE => {
                let input = permissions_group("missing", &["*"]);
                drop(iam.create_permissions_group(&jane, Ok(input)).await.unwrap());
            }
            rights::PERMISSIONS_GROUP_EDIT => {
                let (urn, input) = (&self.permissions_group, permissions_group("empty", &["*"]));
                drop(iam.edit_permissions_group(&jane, urn, Ok(input)).await.unwrap());
            }
            rights::RESOURCE_GROUP_CREATE => {
                drop(iam.create_resource_group(&jane, Ok(resources)).await.unwrap());
            }
            rights::RESOURCE_GROUP_EDIT => {
                let id = Ok(self.resource_group);
                drop(iam.edit_resource_group(&jane, id, Ok(resources)).await.unwrap());
            }
            rights::GROUP_CREATE => {
                drop(iam.create_group(&jane, Ok(group("ops", Role::Admin))).await.unwrap());
            }
            rights::GROUP_EDIT => {
                let (name, input) = (GroupName::new("ops"), group("ops", Role::Admin));
                drop(iam.edit_group(&jane, &name, Ok(input)).await.unwrap());
            }
            rights::USER_EDIT => {
                let edit = UserEdit { groups: Some(admin()), ..UserEdit::default() };
                drop(iam.edit_user(&jane, &Login::new("jane"), Ok(edit)).await.unwrap());
            }
            rights::USER_CREATE => {
                let input = UserInput {
                    login: "other".to_owned(),
                    password: Some(secret(PASSWORD)),
                    groups: admin(),
                    ..UserInput::default()
                };
                iam.create_user(&jane, Ok(input)).await.unwrap();
                let token = self.installation.signed_in(&format!("{ACCOUNT}/other")).await;
                return self.installation.context_in(&token).await.1;
            }
            rights::USER_TOKEN_CREATE => {
                let input = UserTokenInput { name: "mine".to_owned(), ..token_input() };
                let made = iam.create_user_token(&jane, &Login::new("boss"), Ok(input)).await;
                return self.installation.context_of(&made.unwrap().1).await.unwrap();
            }
            other => panic!("no way is known from {other}"),
        }
        self.jane().await
    }

    /// Uses the one right of jane in the ways that could lead to others; returns whom it leads to.
    async fn attempt(&self, right: &str) -> Vec<Context> {
        let (iam, jane) = (&self.installation.iam, self.jane().await);
        let (boss, former) = (Login::new("boss"), Login::new("former"));
        let mut contexts = Vec::new();
        match right {
            rights::ME_EDIT => drop(iam.edit_me(&jane, unread()).await),
            rights::CLIENT_CREATE => {
                let input = ClientInput {
                    name: "mine".to_owned(),
                    description: "mine".to_owned(),
                    flow: Flow::ClientCredentials,
                    callback_urls: Vec::new(),
                };
                let (client, secret) = iam.create_client(&jane, Ok(input)).await.unwrap();
                let about = (None, iam.new_query_id(), self.installation.now());
                let token = iam.issue(&grant(&client.id, &secret, "all"), about).await.unwrap();
                contexts.push(self.installation.context_of(&token.access_token).await.unwrap());
            }
            rights::CLIENT_EDIT => {
                let edit = ClientEdit { name: Some("mine".to_owned()), ..ClientEdit::default() };
                drop(iam.edit_client(&jane, &self.service, Ok(edit)).await.unwrap());
            }
            rights::CLIENT_ENABLE => drop(iam.enable_client(&jane, &self.service).await.unwrap()),
            rights::CLIENT_DISABLE => drop(iam.disable_client(&jane, &self.service).await.unwrap()),
            rights::CLIENT_DELETE => iam.delete_client(&jane, &self.service).await.unwrap(),
            rights::USER_ENABLE => drop(iam.enable_user(&jane, &former).await.unwrap()),
            rights::USER_DISABLE => drop(iam.disable_user(&jane, &boss).await.unwrap()),
            rights::USER_DELETE => iam.delete_user(&jane, &boss).await.unwrap(),
            rights::SECOND_FACTOR_EDIT => {
                drop(iam.set_second_factor(&jane, Ok(SecondFactor::Optional)).await);
            }
            rights::USER_TOKEN_EDIT => {
                let edit = UserTokenEdit {
                    description: Some("mine".to_owned()),
                    expiry: Some(Expiry::Never),
                };
                drop(iam.edit_user_token(&jane, &boss, "t", Ok(edit)).await);
            }
            rights::USER_TOKEN_DELETE => iam.delete_user_token(&jane, &boss, "t").await.unwrap(),
            rights::GROUP_DELETE => {
                iam.delete_group(&jane, &GroupName::new("spare")).await.unwrap();
            }
            rights::POLICY_DELETE => {
                iam.delete_policy(&jane, Ok(self.policy)).await.unwrap();
            }
            rights::PERMISSIONS_GROUP_DELETE => {
                iam.delete_permissions_group(&jane, &self.permissions_group).await.unwrap();
            }
            rights::RESOURCE_GROUP_DELETE => {
                iam.delete_resource_group(&jane, Ok(self.resource_group)).await.unwrap();
            }
            rights::API_DELETE => drop(iam.forget_api(&jane, "library").await),
            rights::RESOURCE_CREATE => {
                let urn = format!("{VPS}-mine");
                let tags = BTreeMap::new();
                let input = NewResource { urn, display_name: None, owner: None, tags };
                drop(iam.create_resource(&jane, Ok(input)).await.unwrap());
            }
            rights::RESOURCE_EDIT => {
                drop(iam.set_tags(&jane, VPS, Ok(Some(BTreeMap::new()))).await);
            }
            rights::RESOURCE_DELETE => drop(iam.delete_resource(&jane, VPS).await),
            rights::TAG_ADD => {
                let tag = ("env".to_owned(), "dev".to_owned());
                drop(iam.add_tag(&jane, VPS, Ok(tag)).await);
            }
            rights::TAG_REMOVE => drop(iam.remove_tag(&jane, VPS, "env").await),
            rights::SAY_PROPERTIES => {}
            other => panic!("nobody tries {other}"),
        }
        contexts.push(self.jane().await);
        contexts
    }
}

#[tokio::test]
async fn each_right_that_is_marked_leads_to_all_others() {
    for &right in rights::EQUAL_TO_ADMINISTRATOR {
        // It leads to all requests of the APIs that it declares.
        if right == rights::API_EDIT {
            continue;
        }
        let mut account = OneRight::new(right).await;
        let jane = account.jane().await;
        assert_eq!(account.reach(&jane).await, 0, "{right}");
        let context = account.escalate(right).await;
        assert_eq!(account.reach(&context).await, PROBES.len(), "{right}");
    }
}

#[tokio::test]
async fn no_right_that_is_not_marked_leads_to_others() {
    let changing = rights::ALL.iter().filter(|one| one.category != rights::Category::Read);
    for right in changing.filter(|one| !one.is_equal_to_administrator()) {
        let account = OneRight::new(right.action).await;
        let own = usize::from(right.action == rights::TAG_REMOVE);
        for context in account.attempt(right.action).await {
            assert!(account.reach(&context).await <= own, "{}", right.action);
        }
    }
}

#[tokio::test]
async fn who_declares_an_api_decides_who_may_send_its_requests() {
    let account = OneRight::new(rights::API_EDIT).await;
    let (iam, owner) = (&account.installation.iam, account.installation.owner());
    let stranger = account.installation.stranger().await;
    iam.declare_api(&owner, "library", Ok(crate::apis::library().to_string())).await.unwrap();
    let before = is_forwarded(&account.installation, &stranger).await;
    let mut public = crate::apis::library();
    let operation = &mut public["paths"]["/books/{isbn}"]["get"];
    operation.as_object_mut().unwrap().retain(|key, _| key == "summary");
    operation["x-iam-public"] = true.into();
    let jane = account.jane().await;
    iam.declare_api(&jane, "library", Ok(public.to_string())).await.unwrap();
    assert_eq!((before, is_forwarded(&account.installation, &stranger).await), (false, true));
}

async fn is_forwarded(installation: &Installation, caller: &Caller) -> bool {
    let token = Some(caller.token.reveal());
    forwarded(installation, ("GET", "/books/7"), token).await.is_ok()
}

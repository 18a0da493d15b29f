//! Every call that there is.

use axum::http::Method;
use gatewright_iam::rights as r;

use crate::forward_auth::Form;
use crate::openapi::{self, Components};
use crate::operation::{Handler, Operation, Parameter, ParameterKind, Tree};
use crate::{oauth2, v1, v2, wire};

macro_rules! open {
    ($path:path) => {
        Handler::Open(|visit| Box::pin($path(visit)))
    };
}

macro_rules! private {
    ($path:path) => {
        Handler::Private(|context, visit| Box::pin($path(context, visit)))
    };
}

const fn flag(name: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Flag }
}

const fn text(name: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Text }
}

const fn texts(name: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Texts }
}

const DETAILS: &[Parameter] = &[flag("details")];

const POLICY_FILTER: &[Parameter] =
    &[texts("action"), flag("details"), texts("identity"), flag("readOnly"), texts("resourceURN")];

const RESOURCE_FILTER: &[Parameter] =
    &[texts("resourceName"), texts("resourceType"), texts("resourceURN"), text("tags")];

const AFTER: &[Parameter] = &[text("after")];

const ACTION_FILTER: &[Parameter] = &[text("resourceType")];

/// All calls.
pub(crate) fn table() -> Vec<Operation> {
    // Nothing is asked more often than what comes first.
    let mut table = proxies();
    table.extend(oauth2());
    table.extend(access());
    table.extend(v1());
    table.extend(v1_identity());
    table.extend(v1_tokens());
    table.extend(v1_logs());
    table.extend(v2_policies());
    table.extend(v2_guarded_apis());
    table.extend(v2_resources());
    table
}

fn proxies() -> Vec<Operation> {
    let ask = |path, summary, form| {
        let handler = Handler::Proxy(form);
        Operation::new(Tree::Root, Method::GET, path, summary, handler).extension()
    };
    vec![
        ask(
            "/forward-auth/{proxy}/{api}",
            "Ask whether a request may pass to a guarded API, as a proxy does",
            Form::ForwardAuth,
        ),
        ask(
            "/ext-authz/{api}/{target}",
            "Ask whether a request may pass, as Envoy does over HTTP: in its method, and with its path",
            Form::Envoy,
        ),
    ]
}

fn oauth2() -> Vec<Operation> {
    let get =
        |path, summary, handler| Operation::new(Tree::Root, Method::GET, path, summary, handler);
    let post =
        |path, summary, handler| Operation::new(Tree::Root, Method::POST, path, summary, handler);
    vec![
        post("/auth/oauth2/token", "Get a token", open!(oauth2::token)).looks(),
        post("/oauth2/token", "Get a token", open!(oauth2::token)).looks(),
        post(
            "/role-adapter/{projects}/auth/oauth2/token",
            "Get a token, and an ID token with the roles on OpenStack projects",
            open!(oauth2::token_with_roles),
        )
        .looks(),
        get(
            "/role-adapter/{projects}/.well-known/openid-configuration",
            "What this server can do for OpenStack's clients",
            open!(oauth2::discovery_with_roles),
        ),
        post("/auth/oauth2/introspect", "Ask about a token", open!(oauth2::introspect)).looks(),
        post("/auth/oauth2/revoke", "Take a token back", open!(oauth2::revoke)),
        get("/auth/oauth2/jwks", "The keys that tokens are checked with", open!(oauth2::jwks)),
        get(
            "/.well-known/oauth-authorization-server",
            "What this server can do",
            open!(oauth2::discovery),
        ),
        get(
            "/.well-known/openid-configuration",
            "What this server can do",
            open!(oauth2::discovery),
        ),
    ]
}

fn access() -> Vec<Operation> {
    use crate::access;
    let ask = |path, summary, handler| {
        let asks = Operation::new(Tree::Root, Method::POST, path, summary, handler);
        asks.needs(&[r::EVALUATE]).looks().extension()
    };
    let configuration = "/.well-known/authzen-configuration";
    vec![
        ask("/access/v1/evaluation", "Ask for a decision", private!(access::evaluation)),
        ask("/access/v1/evaluations", "Ask for decisions", private!(access::evaluations)),
        ask("/access/v1/search/subject", "Find who may", private!(access::search_subject)),
        ask("/access/v1/search/resource", "Find on what", private!(access::search_resource)),
        ask("/access/v1/search/action", "Find which actions", private!(access::search_action)),
        Operation::new(
            Tree::Root,
            Method::GET,
            configuration,
            "Where to ask for decisions",
            open!(access::configuration),
        )
        .extension(),
    ]
}

fn v1() -> Vec<Operation> {
    let new =
        |method, path, summary, handler| Operation::new(Tree::V1, method, path, summary, handler);
    let get = |path, summary, handler| new(Method::GET, path, summary, handler);
    vec![
        get("/auth/time", "The server's clock", open!(v1::auth::time)).gives(openapi::number),
        get("/auth/details", "Who you are", private!(v1::auth::details))
            .gives(Components::one::<wire::Details>),
        get("/me", "Your account", private!(v1::me::get))
            .needs(&[r::ME_GET])
            .gives(Components::one::<wire::Nichandle>),
        new(Method::PUT, "/me", "Change your account", private!(v1::me::put))
            .needs(&[r::ME_EDIT])
            .takes::<wire::Nichandle>(),
        get("/me/api/oauth2/client", "List service accounts", private!(v1::client::list))
            .needs(&[r::CLIENT_GET])
            .gives(openapi::texts)
            .expands_to(Components::one::<wire::Client>),
        new(
            Method::POST,
            "/me/api/oauth2/client",
            "Create a service account",
            private!(v1::client::create),
        )
        .needs(&[r::CLIENT_CREATE])
        .takes::<wire::ClientRequest>()
        .gives(Components::one::<wire::ClientSecret>),
        get(
            "/me/api/oauth2/client/{clientId}",
            "Read a service account",
            private!(v1::client::get),
        )
        .needs(&[r::CLIENT_GET])
        .gives(Components::one::<wire::Client>),
        new(
            Method::PUT,
            "/me/api/oauth2/client/{clientId}",
            "Change a service account",
            private!(v1::client::put),
        )
        .needs(&[r::CLIENT_EDIT])
        .takes::<wire::Client>(),
        new(
            Method::DELETE,
            "/me/api/oauth2/client/{clientId}",
            "Delete a service account",
            private!(v1::client::delete),
        )
        .needs(&[r::CLIENT_DELETE]),
    ]
}

fn v1_identity() -> Vec<Operation> {
    use v1::identity;
    let new =
        |method, path, summary, handler| Operation::new(Tree::V1, method, path, summary, handler);
    let get = |path, summary, handler| new(Method::GET, path, summary, handler);
    vec![
        get("/me/identity/user", "List users", private!(identity::users))
            .needs(&[r::USER_GET])
            .gives(openapi::texts)
            .expands_to(Components::one::<wire::User>),
        new(Method::POST, "/me/identity/user", "Create a user", private!(identity::create_user))
            .needs(&[r::USER_CREATE])
            .takes::<wire::UserRequest>(),
        get("/me/identity/user/{user}", "Read a user", private!(identity::user))
            .needs(&[r::USER_GET])
            .gives(Components::one::<wire::User>),
        new(
            Method::PUT,
            "/me/identity/user/{user}",
            "Change a user",
            private!(identity::edit_user),
        )
        .needs(&[r::USER_EDIT])
        .takes::<wire::User>(),
        new(
            Method::DELETE,
            "/me/identity/user/{user}",
            "Delete a user",
            private!(identity::delete_user),
        )
        .needs(&[r::USER_DELETE]),
        new(
            Method::POST,
            "/me/identity/user/{user}/enable",
            "Let a user sign in again",
            private!(identity::enable_user),
        )
        .needs(&[r::USER_ENABLE]),
        new(
            Method::POST,
            "/me/identity/user/{user}/disable",
            "Let a user sign in no longer",
            private!(identity::disable_user),
        )
        .needs(&[r::USER_DISABLE]),
        get("/me/identity/group", "List groups of users", private!(identity::groups))
            .needs(&[r::GROUP_GET])
            .gives(openapi::texts)
            .expands_to(Components::one::<wire::Group>),
        new(
            Method::POST,
            "/me/identity/group",
            "Create a group of users",
            private!(identity::create_group),
        )
        .needs(&[r::GROUP_CREATE])
        .takes::<wire::GroupRequest>()
        .gives(Components::one::<wire::Group>),
        get("/me/identity/group/{group}", "Read a group of users", private!(identity::group))
            .needs(&[r::GROUP_GET])
            .gives(Components::one::<wire::Group>),
        new(
            Method::PUT,
            "/me/identity/group/{group}",
            "Change a group of users",
            private!(identity::edit_group),
        )
        .needs(&[r::GROUP_EDIT])
        .takes::<wire::Group>(),
        new(
            Method::DELETE,
            "/me/identity/group/{group}",
            "Delete a group of users",
            private!(identity::delete_group),
        )
        .needs(&[r::GROUP_DELETE]),
    ]
}

fn v2(method: Method, path: &'static str, summary: &'static str, handler: Handler) -> Operation {
    Operation::new(Tree::V2, method, path, summary, handler)
}

fn v1_tokens() -> Vec<Operation> {
    use v1::user_token;
    const TOKENS: &str = "/me/identity/user/{user}/token";
    const TOKEN: &str = "/me/identity/user/{user}/token/{name}";
    let new =
        |method, path, summary, handler| Operation::new(Tree::V1, method, path, summary, handler);
    vec![
        new(Method::GET, TOKENS, "List a user's tokens", private!(user_token::tokens))
            .needs(&[r::USER_TOKEN_GET])
            .gives(openapi::texts)
            .expands_to(Components::one::<wire::PersonalAccessToken>),
        new(Method::POST, TOKENS, "Create a token for a user", private!(user_token::create))
            .needs(&[r::USER_TOKEN_CREATE])
            .takes::<wire::PersonalAccessTokenRequest>()
            .gives(Components::one::<wire::NewPersonalAccessToken>),
        new(Method::GET, TOKEN, "Read a user's token", private!(user_token::get))
            .needs(&[r::USER_TOKEN_GET])
            .gives(Components::one::<wire::PersonalAccessToken>),
        new(Method::PUT, TOKEN, "Change a user's token", private!(user_token::edit))
            .needs(&[r::USER_TOKEN_EDIT])
            .takes::<wire::PersonalAccessTokenEdit>()
            .gives(Components::one::<wire::PersonalAccessToken>),
        new(Method::DELETE, TOKEN, "Delete a user's token", private!(user_token::delete))
            .needs(&[r::USER_TOKEN_DELETE]),
    ]
}

fn v1_logs() -> Vec<Operation> {
    let get =
        |path, summary, handler| Operation::new(Tree::V1, Method::GET, path, summary, handler);
    vec![
        get("/me/api/logs/self", "List the last calls", private!(v1::log::calls))
            .needs(&[r::CALLS_GET])
            .gives(openapi::numbers)
            .expands_to(Components::one::<wire::Log>),
        get("/me/api/logs/self/{logId}", "Read a call", private!(v1::log::call))
            .needs(&[r::CALLS_GET])
            .gives(Components::one::<wire::Log>),
        get(
            "/me/api/logs/services",
            "List the last calls of others on your services",
            private!(v1::log::calls_on_services),
        )
        .needs(&[r::CALLS_ON_SERVICES_GET])
        .gives(openapi::numbers)
        .expands_to(Components::one::<wire::Log>),
        get(
            "/me/api/logs/services/{logId}",
            "Read a call of others on your services",
            private!(v1::log::call_on_services),
        )
        .needs(&[r::CALLS_ON_SERVICES_GET])
        .gives(Components::one::<wire::Log>),
        get("/me/logs/audit", "Read what was changed", private!(v1::log::audit))
            .needs(&[r::AUDIT_GET])
            .gives(Components::many::<wire::AuditLog>),
    ]
}

fn v2_guarded_apis() -> Vec<Operation> {
    use v2::{guarded_api, replica};
    let api = "/iam/api/{name}";
    let all = vec![
        v2(Method::GET, "/iam/api", "List guarded APIs", private!(guarded_api::list))
            .needs(&[r::API_GET])
            .gives(openapi::texts),
        v2(Method::GET, api, "A guarded API", private!(guarded_api::get)).needs(&[r::API_GET]),
        v2(Method::PUT, api, "Declare a guarded API", private!(guarded_api::put))
            .needs(&[r::API_EDIT]),
        v2(Method::DELETE, api, "Guard an API no longer", private!(guarded_api::delete))
            .needs(&[r::API_DELETE]),
        v2(Method::GET, "/iam/replica", "Follow what is decided by", private!(replica::follow))
            .needs(&[r::REPLICA_GET])
            .query(AFTER),
    ];
    all.into_iter().map(Operation::extension).collect()
}

fn v2_policies() -> Vec<Operation> {
    use v2::{permissions_group, policy};
    let group = "/iam/permissionsGroup/{permissionsGroupURN}";
    vec![
        v2(Method::GET, "/iam/policy", "List policies", private!(policy::list))
            .needs(&[r::POLICY_GET])
            .query(POLICY_FILTER)
            .paged()
            .gives(Components::many::<wire::Policy>),
        v2(Method::POST, "/iam/policy", "Create a policy", private!(policy::create))
            .needs(&[r::POLICY_CREATE])
            .takes::<wire::PolicyBody>()
            .gives(Components::one::<wire::Policy>),
        v2(Method::GET, "/iam/policy/{policyId}", "Read a policy", private!(policy::get))
            .needs(&[r::POLICY_GET])
            .query(DETAILS)
            .gives(Components::one::<wire::Policy>),
        v2(Method::PUT, "/iam/policy/{policyId}", "Change a policy", private!(policy::put))
            .needs(&[r::POLICY_EDIT])
            .takes::<wire::PolicyBody>()
            .gives(Components::one::<wire::Policy>),
        v2(Method::DELETE, "/iam/policy/{policyId}", "Delete a policy", private!(policy::delete))
            .needs(&[r::POLICY_DELETE]),
        v2(
            Method::GET,
            "/iam/permissionsGroup",
            "List permissions groups",
            private!(permissions_group::list),
        )
        .needs(&[r::PERMISSIONS_GROUP_GET])
        .paged()
        .gives(Components::many::<wire::PermissionsGroup>),
        v2(
            Method::POST,
            "/iam/permissionsGroup",
            "Create a permissions group",
            private!(permissions_group::create),
        )
        .needs(&[r::PERMISSIONS_GROUP_CREATE])
        .takes::<wire::PermissionsGroup>()
        .gives(Components::one::<wire::PermissionsGroup>),
        v2(Method::GET, group, "Read a permissions group", private!(permissions_group::get))
            .needs(&[r::PERMISSIONS_GROUP_GET])
            .gives(Components::one::<wire::PermissionsGroup>),
        v2(Method::PUT, group, "Change a permissions group", private!(permissions_group::put))
            .needs(&[r::PERMISSIONS_GROUP_EDIT])
            .takes::<wire::PermissionsGroup>()
            .gives(Components::one::<wire::PermissionsGroup>),
        v2(
            Method::DELETE,
            group,
            "Delete a permissions group",
            private!(permissions_group::delete),
        )
        .needs(&[r::PERMISSIONS_GROUP_DELETE]),
    ]
}

fn v2_resources() -> Vec<Operation> {
    use v2::{check, reference, resource, resource_group};
    let one = "/iam/resource/{resourceURN}";
    let group = "/iam/resourceGroup/{groupId}";
    vec![
        v2(
            Method::GET,
            "/iam/resourceGroup",
            "List resource groups",
            private!(resource_group::list),
        )
        .needs(&[r::RESOURCE_GROUP_GET])
        .query(DETAILS)
        .paged()
        .gives(Components::many::<wire::ResourceGroup>),
        v2(
            Method::POST,
            "/iam/resourceGroup",
            "Create a resource group",
            private!(resource_group::create),
        )
        .needs(&[r::RESOURCE_GROUP_CREATE])
        .takes::<wire::NewResourceGroup>()
        .gives(Components::one::<wire::ResourceGroup>),
        v2(Method::GET, group, "Read a resource group", private!(resource_group::get))
            .needs(&[r::RESOURCE_GROUP_GET])
            .query(DETAILS)
            .gives(Components::one::<wire::ResourceGroup>),
        v2(Method::PUT, group, "Change a resource group", private!(resource_group::put))
            .needs(&[r::RESOURCE_GROUP_EDIT])
            .takes::<wire::ResourceGroupBody>()
            .gives(Components::one::<wire::ResourceGroup>),
        v2(Method::DELETE, group, "Delete a resource group", private!(resource_group::delete))
            .needs(&[r::RESOURCE_GROUP_DELETE]),
        v2(Method::GET, "/iam/resource", "List resources", private!(resource::list))
            .query(RESOURCE_FILTER)
            .paged()
            .gives(Components::many::<wire::Resource>),
        v2(Method::POST, "/iam/resource", "Register a resource", private!(resource::create))
            .needs(&[r::RESOURCE_CREATE])
            .takes::<wire::NewResource>()
            .gives(Components::one::<wire::Resource>)
            .extension(),
        v2(Method::GET, one, "Read a resource", private!(resource::get))
            .gives(Components::one::<wire::Resource>),
        v2(Method::PUT, one, "Replace a resource's tags", private!(resource::put))
            .needs(&[r::RESOURCE_EDIT])
            .takes::<wire::Resource>()
            .gives(Components::one::<wire::Resource>),
        v2(Method::DELETE, one, "Forget a resource", private!(resource::delete))
            .needs(&[r::RESOURCE_DELETE])
            .extension(),
        v2(
            Method::POST,
            "/iam/resource/{resourceURN}/tag",
            "Tag a resource",
            private!(resource::add_tag),
        )
        .needs(&[r::TAG_ADD])
        .takes::<wire::Tag>(),
        v2(
            Method::DELETE,
            "/iam/resource/{resourceURN}/tag/{key}",
            "Remove a tag",
            private!(resource::remove_tag),
        )
        .needs(&[r::TAG_REMOVE]),
        v2(
            Method::POST,
            "/iam/resource/{resourceURN}/authorization/check",
            "Ask what you may do on a resource",
            private!(check::one),
        )
        .takes::<wire::CheckRequest>()
        .gives(Components::one::<wire::CheckAnswer>)
        .looks(),
        v2(
            Method::POST,
            "/iam/authorization/check",
            "Ask what you may do on several resources",
            private!(check::many),
        )
        .takes::<wire::BatchRequest>()
        .paged()
        .gives(Components::many::<wire::BatchAnswer>)
        .looks(),
        v2(Method::GET, "/iam/reference/action", "List actions", private!(reference::actions))
            .query(ACTION_FILTER)
            .paged()
            .gives(Components::many::<wire::Action>),
        v2(
            Method::GET,
            "/iam/reference/resource/type",
            "List resource types",
            private!(reference::types),
        )
        .paged()
        .gives(openapi::texts),
    ]
}

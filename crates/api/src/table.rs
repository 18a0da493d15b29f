//! Every call that there is.

use axum::http::Method;
use gatewright_iam::rights as r;

use crate::forward_auth::ProxyProtocol;
use crate::openapi::{self, Components};
use crate::operation::{Handler, Operation, Parameter, ParameterKind, Tree};
use crate::{oauth2, v1, v2, wire};

macro_rules! public {
    ($path:path) => {
        Handler::Public(|request| Box::pin($path(request)))
    };
}

macro_rules! authenticated {
    ($path:path) => {
        Handler::Authenticated(|context, request| Box::pin($path(context, request)))
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
    let ask = |path, summary, protocol| {
        let handler = Handler::Proxy(protocol);
        Operation::new(Tree::Root, Method::GET, path, summary, handler).extension()
    };
    vec![
        ask(
            "/forward-auth/{proxy}/{api}",
            "Ask whether a request may pass to a guarded API, as a proxy does",
            ProxyProtocol::ForwardAuth,
        ),
        ask(
            "/ext-authz/{api}/{target}",
            "Ask whether a request may pass, as Envoy does over HTTP: in its method, and with its path",
            ProxyProtocol::Envoy,
        ),
    ]
}

fn oauth2() -> Vec<Operation> {
    let get =
        |path, summary, handler| Operation::new(Tree::Root, Method::GET, path, summary, handler);
    let post =
        |path, summary, handler| Operation::new(Tree::Root, Method::POST, path, summary, handler);
    vec![
        post("/auth/oauth2/token", "Get a token", public!(oauth2::token)).read_only(),
        post("/oauth2/token", "Get a token", public!(oauth2::token)).read_only(),
        post(
            "/role-adapter/{projects}/auth/oauth2/token",
            "Get a token, and an ID token with the roles on OpenStack projects",
            public!(oauth2::token_with_roles),
        )
        .read_only(),
        get(
            "/role-adapter/{projects}/.well-known/openid-configuration",
            "What this server can do for OpenStack's clients",
            public!(oauth2::discovery_with_roles),
        ),
        post("/auth/oauth2/introspect", "Ask about a token", public!(oauth2::introspect))
            .read_only(),
        post("/auth/oauth2/revoke", "Take a token back", public!(oauth2::revoke)),
        get("/auth/oauth2/jwks", "The keys that tokens are checked with", public!(oauth2::jwks)),
        get(
            "/.well-known/oauth-authorization-server",
            "What this server can do",
            public!(oauth2::discovery),
        ),
        get(
            "/.well-known/openid-configuration",
            "What this server can do",
            public!(oauth2::discovery),
        ),
    ]
}

fn access() -> Vec<Operation> {
    use crate::access;
    let ask = |path, summary, handler| {
        let asks = Operation::new(Tree::Root, Method::POST, path, summary, handler);
        asks.requires(&[r::EVALUATE]).read_only().extension()
    };
    let configuration = "/.well-known/authzen-configuration";
    vec![
        ask("/access/v1/evaluation", "Ask for a decision", authenticated!(access::evaluation)),
        ask("/access/v1/evaluations", "Ask for decisions", authenticated!(access::evaluations)),
        ask("/access/v1/search/subject", "Find who may", authenticated!(access::search_subject)),
        ask("/access/v1/search/resource", "Find on what", authenticated!(access::search_resource)),
        ask(
            "/access/v1/search/action",
            "Find which actions",
            authenticated!(access::search_action),
        ),
        Operation::new(
            Tree::Root,
            Method::GET,
            configuration,
            "Where to ask for decisions",
            public!(access::configuration),
        )
        .extension(),
    ]
}

fn v1() -> Vec<Operation> {
    let new =
        |method, path, summary, handler| Operation::new(Tree::V1, method, path, summary, handler);
    let get = |path, summary, handler| new(Method::GET, path, summary, handler);
    vec![
        get("/auth/time", "The server's clock", public!(v1::auth::time)).response(openapi::number),
        get("/auth/details", "Who you are", authenticated!(v1::auth::details))
            .response(Components::one::<wire::Details>),
        get("/me", "Your account", authenticated!(v1::me::get))
            .requires(&[r::ME_GET])
            .response(Components::one::<wire::Nichandle>),
        new(Method::PUT, "/me", "Change your account", authenticated!(v1::me::put))
            .requires(&[r::ME_EDIT])
            .request_body::<wire::Nichandle>(),
        get("/me/api/oauth2/client", "List service accounts", authenticated!(v1::client::list))
            .requires(&[r::CLIENT_GET])
            .response(openapi::texts)
            .expands_to(Components::one::<wire::Client>),
        new(
            Method::POST,
            "/me/api/oauth2/client",
            "Create a service account",
            authenticated!(v1::client::create),
        )
        .requires(&[r::CLIENT_CREATE])
        .request_body::<wire::ClientRequest>()
        .response(Components::one::<wire::ClientSecret>),
        get(
            "/me/api/oauth2/client/{clientId}",
            "Read a service account",
            authenticated!(v1::client::get),
        )
        .requires(&[r::CLIENT_GET])
        .response(Components::one::<wire::Client>),
        new(
            Method::PUT,
            "/me/api/oauth2/client/{clientId}",
            "Change a service account",
            authenticated!(v1::client::put),
        )
        .requires(&[r::CLIENT_EDIT])
        .request_body::<wire::Client>(),
        new(
            Method::DELETE,
            "/me/api/oauth2/client/{clientId}",
            "Delete a service account",
            authenticated!(v1::client::delete),
        )
        .requires(&[r::CLIENT_DELETE]),
    ]
}

fn v1_identity() -> Vec<Operation> {
    use v1::identity;
    let new =
        |method, path, summary, handler| Operation::new(Tree::V1, method, path, summary, handler);
    let get = |path, summary, handler| new(Method::GET, path, summary, handler);
    vec![
        get("/me/identity/user", "List users", authenticated!(identity::users))
            .requires(&[r::USER_GET])
            .response(openapi::texts)
            .expands_to(Components::one::<wire::User>),
        new(
            Method::POST,
            "/me/identity/user",
            "Create a user",
            authenticated!(identity::create_user),
        )
        .requires(&[r::USER_CREATE])
        .request_body::<wire::UserRequest>(),
        get("/me/identity/user/{user}", "Read a user", authenticated!(identity::user))
            .requires(&[r::USER_GET])
            .response(Components::one::<wire::User>),
        new(
            Method::PUT,
            "/me/identity/user/{user}",
            "Change a user",
            authenticated!(identity::edit_user),
        )
        .requires(&[r::USER_EDIT])
        .request_body::<wire::User>(),
        new(
            Method::DELETE,
            "/me/identity/user/{user}",
            "Delete a user",
            authenticated!(identity::delete_user),
        )
        .requires(&[r::USER_DELETE]),
        new(
            Method::POST,
            "/me/identity/user/{user}/enable",
            "Let a user sign in again",
            authenticated!(identity::enable_user),
        )
        .requires(&[r::USER_ENABLE]),
        new(
            Method::POST,
            "/me/identity/user/{user}/disable",
            "Let a user sign in no longer",
            authenticated!(identity::disable_user),
        )
        .requires(&[r::USER_DISABLE]),
        get("/me/identity/group", "List groups of users", authenticated!(identity::groups))
            .requires(&[r::GROUP_GET])
            .response(openapi::texts)
            .expands_to(Components::one::<wire::Group>),
        new(
            Method::POST,
            "/me/identity/group",
            "Create a group of users",
            authenticated!(identity::create_group),
        )
        .requires(&[r::GROUP_CREATE])
        .request_body::<wire::GroupRequest>()
        .response(Components::one::<wire::Group>),
        get("/me/identity/group/{group}", "Read a group of users", authenticated!(identity::group))
            .requires(&[r::GROUP_GET])
            .response(Components::one::<wire::Group>),
        new(
            Method::PUT,
            "/me/identity/group/{group}",
            "Change a group of users",
            authenticated!(identity::edit_group),
        )
        .requires(&[r::GROUP_EDIT])
        .request_body::<wire::Group>(),
        new(
            Method::DELETE,
            "/me/identity/group/{group}",
            "Delete a group of users",
            authenticated!(identity::delete_group),
        )
        .requires(&[r::GROUP_DELETE]),
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
        new(Method::GET, TOKENS, "List a user's tokens", authenticated!(user_token::tokens))
            .requires(&[r::USER_TOKEN_GET])
            .response(openapi::texts)
            .expands_to(Components::one::<wire::PersonalAccessToken>),
        new(Method::POST, TOKENS, "Create a token for a user", authenticated!(user_token::create))
            .requires(&[r::USER_TOKEN_CREATE])
            .request_body::<wire::PersonalAccessTokenRequest>()
            .response(Components::one::<wire::NewPersonalAccessToken>),
        new(Method::GET, TOKEN, "Read a user's token", authenticated!(user_token::get))
            .requires(&[r::USER_TOKEN_GET])
            .response(Components::one::<wire::PersonalAccessToken>),
        new(Method::PUT, TOKEN, "Change a user's token", authenticated!(user_token::edit))
            .requires(&[r::USER_TOKEN_EDIT])
            .request_body::<wire::PersonalAccessTokenEdit>()
            .response(Components::one::<wire::PersonalAccessToken>),
        new(Method::DELETE, TOKEN, "Delete a user's token", authenticated!(user_token::delete))
            .requires(&[r::USER_TOKEN_DELETE]),
    ]
}

fn v1_logs() -> Vec<Operation> {
    let get =
        |path, summary, handler| Operation::new(Tree::V1, Method::GET, path, summary, handler);
    vec![
        get("/me/api/logs/self", "List the last calls", authenticated!(v1::log::calls))
            .requires(&[r::CALLS_GET])
            .response(openapi::numbers)
            .expands_to(Components::one::<wire::Log>),
        get("/me/api/logs/self/{logId}", "Read a call", authenticated!(v1::log::call))
            .requires(&[r::CALLS_GET])
            .response(Components::one::<wire::Log>),
        get(
            "/me/api/logs/services",
            "List the last calls of others on your services",
            authenticated!(v1::log::calls_on_services),
        )
        .requires(&[r::CALLS_ON_SERVICES_GET])
        .response(openapi::numbers)
        .expands_to(Components::one::<wire::Log>),
        get(
            "/me/api/logs/services/{logId}",
            "Read a call of others on your services",
            authenticated!(v1::log::call_on_services),
        )
        .requires(&[r::CALLS_ON_SERVICES_GET])
        .response(Components::one::<wire::Log>),
        get("/me/logs/audit", "Read what was changed", authenticated!(v1::log::audit))
            .requires(&[r::AUDIT_GET])
            .response(Components::many::<wire::AuditLog>),
    ]
}

fn v2_guarded_apis() -> Vec<Operation> {
    use v2::{guarded_api, replica};
    let api = "/iam/api/{name}";
    let all = vec![
        v2(Method::GET, "/iam/api", "List guarded APIs", authenticated!(guarded_api::list))
            .requires(&[r::API_GET])
            .response(openapi::texts),
        v2(Method::GET, api, "A guarded API", authenticated!(guarded_api::get))
            .requires(&[r::API_GET]),
        v2(Method::PUT, api, "Declare a guarded API", authenticated!(guarded_api::put))
            .requires(&[r::API_EDIT]),
        v2(Method::DELETE, api, "Guard an API no longer", authenticated!(guarded_api::delete))
            .requires(&[r::API_DELETE]),
        v2(
            Method::GET,
            "/iam/replica",
            "Follow what is decided by",
            authenticated!(replica::follow),
        )
        .requires(&[r::REPLICA_GET])
        .query(AFTER),
    ];
    all.into_iter().map(Operation::extension).collect()
}

fn v2_policies() -> Vec<Operation> {
    use v2::{permissions_group, policy};
    let group = "/iam/permissionsGroup/{permissionsGroupURN}";
    vec![
        v2(Method::GET, "/iam/policy", "List policies", authenticated!(policy::list))
            .requires(&[r::POLICY_GET])
            .query(POLICY_FILTER)
            .paged()
            .response(Components::many::<wire::Policy>),
        v2(Method::POST, "/iam/policy", "Create a policy", authenticated!(policy::create))
            .requires(&[r::POLICY_CREATE])
            .request_body::<wire::PolicyBody>()
            .response(Components::one::<wire::Policy>),
        v2(Method::GET, "/iam/policy/{policyId}", "Read a policy", authenticated!(policy::get))
            .requires(&[r::POLICY_GET])
            .query(DETAILS)
            .response(Components::one::<wire::Policy>),
        v2(Method::PUT, "/iam/policy/{policyId}", "Change a policy", authenticated!(policy::put))
            .requires(&[r::POLICY_EDIT])
            .request_body::<wire::PolicyBody>()
            .response(Components::one::<wire::Policy>),
        v2(
            Method::DELETE,
            "/iam/policy/{policyId}",
            "Delete a policy",
            authenticated!(policy::delete),
        )
        .requires(&[r::POLICY_DELETE]),
        v2(
            Method::GET,
            "/iam/permissionsGroup",
            "List permissions groups",
            authenticated!(permissions_group::list),
        )
        .requires(&[r::PERMISSIONS_GROUP_GET])
        .paged()
        .response(Components::many::<wire::PermissionsGroup>),
        v2(
            Method::POST,
            "/iam/permissionsGroup",
            "Create a permissions group",
            authenticated!(permissions_group::create),
        )
        .requires(&[r::PERMISSIONS_GROUP_CREATE])
        .request_body::<wire::PermissionsGroup>()
        .response(Components::one::<wire::PermissionsGroup>),
        v2(Method::GET, group, "Read a permissions group", authenticated!(permissions_group::get))
            .requires(&[r::PERMISSIONS_GROUP_GET])
            .response(Components::one::<wire::PermissionsGroup>),
        v2(
            Method::PUT,
            group,
            "Change a permissions group",
            authenticated!(permissions_group::put),
        )
        .requires(&[r::PERMISSIONS_GROUP_EDIT])
        .request_body::<wire::PermissionsGroup>()
        .response(Components::one::<wire::PermissionsGroup>),
        v2(
            Method::DELETE,
            group,
            "Delete a permissions group",
            authenticated!(permissions_group::delete),
        )
        .requires(&[r::PERMISSIONS_GROUP_DELETE]),
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
            authenticated!(resource_group::list),
        )
        .requires(&[r::RESOURCE_GROUP_GET])
        .query(DETAILS)
        .paged()
        .response(Components::many::<wire::ResourceGroup>),
        v2(
            Method::POST,
            "/iam/resourceGroup",
            "Create a resource group",
            authenticated!(resource_group::create),
        )
        .requires(&[r::RESOURCE_GROUP_CREATE])
        .request_body::<wire::NewResourceGroup>()
        .response(Components::one::<wire::ResourceGroup>),
        v2(Method::GET, group, "Read a resource group", authenticated!(resource_group::get))
            .requires(&[r::RESOURCE_GROUP_GET])
            .query(DETAILS)
            .response(Components::one::<wire::ResourceGroup>),
        v2(Method::PUT, group, "Change a resource group", authenticated!(resource_group::put))
            .requires(&[r::RESOURCE_GROUP_EDIT])
            .request_body::<wire::ResourceGroupBody>()
            .response(Components::one::<wire::ResourceGroup>),
        v2(
            Method::DELETE,
            group,
            "Delete a resource group",
            authenticated!(resource_group::delete),
        )
        .requires(&[r::RESOURCE_GROUP_DELETE]),
        v2(Method::GET, "/iam/resource", "List resources", authenticated!(resource::list))
            .query(RESOURCE_FILTER)
            .paged()
            .response(Components::many::<wire::Resource>),
        v2(Method::POST, "/iam/resource", "Register a resource", authenticated!(resource::create))
            .requires(&[r::RESOURCE_CREATE])
            .request_body::<wire::NewResource>()
            .response(Components::one::<wire::Resource>)
            .extension(),
        v2(Method::GET, one, "Read a resource", authenticated!(resource::get))
            .response(Components::one::<wire::Resource>),
        v2(Method::PUT, one, "Replace a resource's tags", authenticated!(resource::put))
            .requires(&[r::RESOURCE_EDIT])
            .request_body::<wire::Resource>()
            .response(Components::one::<wire::Resource>),
        v2(Method::DELETE, one, "Forget a resource", authenticated!(resource::delete))
            .requires(&[r::RESOURCE_DELETE])
            .extension(),
        v2(
            Method::POST,
            "/iam/resource/{resourceURN}/tag",
            "Tag a resource",
            authenticated!(resource::add_tag),
        )
        .requires(&[r::TAG_ADD])
        .request_body::<wire::Tag>(),
        v2(
            Method::DELETE,
            "/iam/resource/{resourceURN}/tag/{key}",
            "Remove a tag",
            authenticated!(resource::remove_tag),
        )
        .requires(&[r::TAG_REMOVE]),
        v2(
            Method::POST,
            "/iam/resource/{resourceURN}/authorization/check",
            "Ask what you may do on a resource",
            authenticated!(check::one),
        )
        .request_body::<wire::CheckRequest>()
        .response(Components::one::<wire::CheckAnswer>)
        .read_only(),
        v2(
            Method::POST,
            "/iam/authorization/check",
            "Ask what you may do on several resources",
            authenticated!(check::many),
        )
        .request_body::<wire::BatchRequest>()
        .paged()
        .response(Components::many::<wire::BatchAnswer>)
        .read_only(),
        v2(
            Method::GET,
            "/iam/reference/action",
            "List actions",
            authenticated!(reference::actions),
        )
        .query(ACTION_FILTER)
        .paged()
        .response(Components::many::<wire::Action>),
        v2(
            Method::GET,
            "/iam/reference/resource/type",
            "List resource types",
            authenticated!(reference::types),
        )
        .paged()
        .response(openapi::texts),
    ]
}

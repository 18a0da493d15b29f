//! The rules of the house: allowed dependencies, pure modules, banned words.
//!
//! This is the file to edit when the house grows. Each exception has its reason.

use super::floors::Floors;
use super::lengths;
use super::purity::Pure;
use super::words::{self, Banned, IdentifierKind};
/// The rule that a fault violates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    /// A crate depends on another that it must not use.
    Crates,
    Circle,
    Modules,
    Purity,
    Words,
    Comments,
    Length,
    Generated,
    /// A document on security names a test or a file that does not exist, or lacks a point.
    Evidence,
}

/// The crates of the workspace, each with its allowed dependencies among them.
pub(crate) const CRATES: &[(&str, &[&str])] = &[
    ("gatewright", &["gatewright-api", "gatewright-iam", "gatewright-panel"]),
    ("gatewright-api", &["gatewright-iam"]),
    ("gatewright-panel", &["gatewright-iam"]),
    ("gatewright-iam", &["gatewright-policy", "gatewright-store"]),
    ("gatewright-store", &["gatewright-policy"]),
    ("gatewright-policy", &[]),
    ("gatewright-testing", &[]),
    ("gatewright-client", &[]),
    ("gatewright-embedded", &["gatewright-policy"]),
    ("gatewright-example-axum", &["gatewright-client"]),
    ("xtask", &[]),
];

/// Pairs of files that belong together and may refer to each other: the second counts as the first.
pub(crate) const ONE_THING: &[(&str, &str, &str)] = &[];

/// The floors of modules, for the crates that have more than a few.
pub(crate) const MODULES: &[Floors] = &[
    Floors {
        package: "gatewright-iam",
        floors: &[
            &["crate"],
            &[
                "identities",
                "policies",
                "resources",
                "tokens",
                "decisions",
                "apis",
                "activity",
                "replication",
            ],
            &["core"],
            &["engine"],
            &["catalogue", "sources"],
            &["model"],
        ],
        allowed: &[(
            "policies",
            "resources",
            "a policy is shown with the resources and the groups that it names",
        )],
    },
    Floors {
        package: "gatewright-api",
        floors: &[
            &["crate"],
            &["serve"],
            &["route", "destination"],
            &["openapi"],
            &["operations"],
            &["v1", "v2", "oauth2", "access", "forward_auth", "ext_authz"],
            &["expand", "operation", "original_request", "tagged"],
            &["endpoint"],
            &["authentication", "body", "respond"],
            &["edge", "form", "precondition", "idempotency_key"],
            &["error", "request", "wire"],
            &["body_schema"],
            &["response", "query", "meter", "schema", "proxy_protocol", "panics"],
            &["rate_limit"],
        ],
        allowed: &[],
    },
];

/// The modules that must be pure: they depend on their arguments only.
pub(crate) const PURE: &[Pure] = &[
    Pure {
        module: "crates/policy/src",
        except: &[(
            "crates/policy/src/hashed_identity.rs",
            "draws the key of its hashes, which no decision depends on",
        )],
    },
    Pure { module: "crates/iam/src/model", except: &[] },
    Pure {
        module: "crates/iam/src/catalogue",
        except: &[("crates/iam/src/catalogue/file.rs", "reads the documents of a folder")],
    },
];

/// Rules that are not enforced yet, for a package or a document; `*` is all of them. Empty unless a
/// restructuring is under way.
pub(crate) const NOT_YET: &[(Rule, &str)] = &[];

/// The exceptions from the maximum lengths.
pub(crate) const LONG: &[lengths::Allowed] = &[];

/// The identifiers that may contain a banned word.
pub(crate) const WORDS: &[words::Allowed] = &[
    ("crates/iam/src/model/json_keys.rs", "Visitor", "the trait of serde"),
    ("crates/iam/src/model/strict_objects.rs", "Visitor", "the trait of serde"),
    ("crates/iam/src/catalogue/product.rs", "Visitor", "the trait of serde"),
    ("xtask/src/house/lengths.rs", "Visit", "the trait of syn"),
    ("xtask/src/house/lengths.rs", "visit", "the module of syn"),
    ("crates/gatewright/src/dispatcher/tests/captured_spans.rs", "Record", "a type of tracing"),
    ("crates/gatewright/src/dispatcher/tests/", "Visit", "the trait of tracing"),
];

/// The banned words: former names of things that the field has a name for.
pub(crate) const BANNED: &[Banned] = &[
    anywhere(&["passage"], "ForwardedRequest"),
    anywhere(&["passages"], "forwarded requests"),
    anywhere(&["passenger"], "AuthorizedCaller"),
    anywhere(&["draft"], "Input"),
    anywhere(&["drafts"], "inputs"),
    anywhere(&["living"], "LiveCatalogue"),
    anywhere(&["has", "company"], "has_peers"),
    anywhere(&["deaf"], "stale"),
    anywhere(&["verdict"], "SimulationResult"),
    anywhere(&["scene"], "DecisionContext"),
    anywhere(&["identity", "key"], "IdentityHash"),
    anywhere(&["circumstances"], "Environment"),
    anywhere(&["particulars"], "ContactDetails"),
    in_types(&["robot"], "InitialServiceAccount"),
    anywhere(&["fronts"], "AcceptorPool"),
    anywhere(&["desk"], "Worker"),
    anywhere(&["plate"], "region"),
    anywhere(&["tally"], "HourlyCount"),
    anywhere(&["tallies"], "hourly counts"),
    anywhere(&["catch", "up"], "wait_for_revision"),
    anywhere(&["at", "least"], "minimum revision"),
    anywhere(&["resource", "kind"], "resource_type"),
    anywhere(&["whole", "session"], "authenticated session"),
    anywhere(&["last", "heard"], "last_heartbeat"),
    in_types(&["asked"], "OriginalRequest"),
    in_types(&["record"], "ActivityBatch"),
    in_types(&["usage"], "LastUsed"),
    in_types(&["who"], "Actor"),
    in_types(&["waiting"], "PendingLine"),
    in_types(&["needed"], "RequiredActions"),
    in_types(&["shift"], "AccessDiff"),
    in_types(&["shifts"], "AccessDiff"),
    in_types(&["looked"], "EvaluatedPolicy"),
    in_types(&["stance"], "ActionMatch"),
    in_types(&["reach"], "EffectivePermissions"),
    in_types(&["ground"], "DeterminingPolicy"),
    in_types(&["known"], "HashedIdentity"),
    in_types(&["question"], "Request"),
    in_types(&["asking"], "ProxyRequest"),
    in_types(&["visit"], "RequestContext"),
    in_types(&["visitor"], "ProxyRequest"),
    in_types(&["said"], "ActionMatch"),
    in_types(&["front"], "Dispatcher"),
    in_types(&["trial"], "Simulation"),
    exactly(&["Decided"], "RecordedDecision"),
    exactly(&["visit"], "request"),
    exactly(&["asking"], "request"),
    exactly(&["TOLD"], "flash message"),
    exactly(&["tend"], "maintain"),
    exactly(&["TEND"], "maintain"),
    function(&["looks"], "read_only"),
    function(&["needs"], "requires"),
    function(&["gives"], "response"),
    function(&["takes"], "request_body"),
    function(&["private"], "authenticated"),
    function(&["told"], "the flash message"),
    function(&["factors"], "second_factors"),
    function(&["heard"], "the last heartbeat, or what was received"),
    function(&["needed"], "required_actions"),
    function(&["sees"], "has_access"),
    function(&["see"], "decided_resource"),
    function(&["own"], "a verb and an object"),
    function(&["named"], "a verb and an object"),
    function(&["managed"], "a verb and an object"),
    function(&["end"], "a verb and an object"),
];

const fn anywhere(words: &'static [&'static str], instead: &'static str) -> Banned {
    Banned { words, kind: IdentifierKind::Anywhere, instead }
}

const fn exactly(words: &'static [&'static str], instead: &'static str) -> Banned {
    Banned { words, kind: IdentifierKind::Exactly, instead }
}

const fn function(words: &'static [&'static str], instead: &'static str) -> Banned {
    Banned { words, kind: IdentifierKind::AsFunction, instead }
}

const fn in_types(words: &'static [&'static str], instead: &'static str) -> Banned {
    Banned { words, kind: IdentifierKind::InTypes, instead }
}

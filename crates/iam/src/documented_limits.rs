//! Compares `docs/limits.md` with the limits of this crate that have no setting and that other crates do
//! not see. The test of the settings, in `gatewright`, finds the rows that are nowhere.

use gatewright_testing::documented_limit;

use crate::apis::guarded_api;
use crate::catalogue::{route, routes, target};
use crate::core::budget;
use crate::decisions::{check, forwarded_request, search};
use crate::engine::{
    concurrency_limit, credential_lookups, live_catalogue, revocation_watch, throttle, tokens,
    views,
};
use crate::identities::sign_in::{passkey, session};
use crate::identities::user_token;
use crate::model::page::PageRequest;
use crate::model::{device, limits, user};
use crate::resources::list;

/// The limits, by the beginning of their rows.
fn limits() -> Vec<(&'static str, u64)> {
    let number = |number: usize| u64::try_from(number).unwrap();
    vec![
        ("target of a request to a guarded API", number(target::MOST)),
        ("access token", number(tokens::MAX_LENGTH)),
        ("decisions of a check", number(check::MOST)),
        ("names that an AuthZEN search evaluates", number(search::MOST)),
        ("items of a page", number(PageRequest::MAX_SIZE)),
        ("groups of a user", number(user::MOST_GROUPS)),
        ("guarded APIs of an account", number(guarded_api::MOST)),
        ("actions and operations of the guarded APIs", number(guarded_api::MOST_SIZE)),
        ("parts of a path that a guarded API declares", number(route::MOST_PARTS)),
        ("actions that one request to a guarded API", number(forwarded_request::REQUIRED_ACTIONS)),
        ("declared paths and operations", number(routes::MOST)),
        ("cost of the decisions of a page of resources", list::MOST_COST),
        ("resources of other accounts that a page", list::MOST_LOOKED_AT),
        ("sessions of a person", number(session::MOST)),
        ("personal access tokens of a user", number(user_token::MOST)),
        ("passkeys of a person", number(passkey::MOST)),
        ("people whom a browser is known for", number(device::MOST)),
        ("`User-Agent` in a line", number(limits::USER_AGENT_BYTES)),
        ("large requests of an account", number(concurrency_limit::DECISIONS_OF_AN_ACCOUNT)),
        ("declarations of guarded APIs at once", number(concurrency_limit::DECLARATIONS_OF_ALL)),
        ("time of a large request", budget::LONGEST.as_secs()),
        ("verified tokens in memory", tokens::VERIFIED_BYTES),
        ("owners of resources in memory", views::OWNERS_BYTES),
        ("identities of service accounts in memory", views::CLIENTS_BYTES),
        ("look-ups in the database at once", number(credential_lookups::AT_ONCE)),
        ("such look-ups for one network (", number(credential_lookups::OF_NETWORK)),
        ("such look-ups for one network that", number(credential_lookups::WAITING)),
        ("such look-ups of personal", number(credential_lookups::AT_ONCE)),
        ("accounts whose revocations are remembered", number(revocation_watch::ACCOUNTS)),
        ("catalogues of accounts in memory", number(live_catalogue::ACCOUNTS)),
        ("keys of each of these that are remembered", number(throttle::KEYS)),
    ]
}

#[test]
fn every_limit_of_this_crate_is_documented_as_it_is() {
    for (beginning, limit) in limits() {
        assert_eq!(documented_limit(beginning), limit, "{beginning}");
    }
}

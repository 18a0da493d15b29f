//! Pages and forms, a module for each part of the menu.

mod choices;
pub(crate) mod error;
mod groups;
mod logs;
mod me;
mod mfa;
mod overview;
mod permissions_groups;
mod policies;
mod reasons;
mod resource_groups;
mod resources;
pub(crate) mod resume;
mod roles;
mod service_accounts;
pub(crate) mod sign_in;
mod sign_in_error;
mod simulation;
mod tokens;
mod unused;
mod users;

use crate::route::Route;

/// Lists all routes of the panel, except that of the static files.
pub fn routes() -> Vec<Route> {
    [
        overview::routes(),
        sign_in::routes(),
        service_accounts::routes(),
        policies::routes(),
        simulation::routes(),
        resource_groups::routes(),
        permissions_groups::routes(),
        resources::routes(),
        users::routes(),
        tokens::routes(),
        groups::routes(),
        logs::routes(),
        me::routes(),
        mfa::routes(),
    ]
    .concat()
}

/// Checks whether a path is one of the panel's pages, forms or static files.
pub fn is_page(path: &str) -> bool {
    path.starts_with("/assets/") || routes().iter().any(|route| route.matches(path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_declared_once_and_is_a_page() {
        let routes = routes();
        let declared: BTreeSet<String> =
            routes.iter().map(|one| format!("{} {}", one.method(), one.path())).collect();
        assert_eq!(declared.len(), routes.len());
        assert!(routes.iter().all(|one| is_page(one.path())));
        assert!(is_page("/assets/0123456789ab/panel.css"));
        for other in ["/v1/me", "/v2/iam/policy", "/nowhere", "/users/", ""] {
            assert!(!is_page(other), "{other}");
        }
    }
}

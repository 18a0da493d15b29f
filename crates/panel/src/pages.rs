//! Pages and forms, a module for each part of the menu.

mod authenticators;
mod choices;
pub(crate) mod confirm;
pub(crate) mod error;
mod groups;
mod logs;
mod me;
mod overview;
mod permissions_groups;
mod policies;
mod reasons;
mod resource_groups;
mod resources;
pub(crate) mod resume;
mod roles;
pub(crate) mod second_factor;
mod service_accounts;
pub(crate) mod sign_in;
mod sign_in_error;
mod simulation;
mod tokens;
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
        authenticators::routes(),
        second_factor::routes(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_declared_once() {
        let routes = routes();
        let declared: BTreeSet<String> =
            routes.iter().map(|one| format!("{} {}", one.method(), one.path())).collect();
        assert_eq!(declared.len(), routes.len());
    }
}

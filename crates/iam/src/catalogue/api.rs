//! Finds the operations of a guarded API that a request matches.

use gatewright_policy::AccountName;

use crate::catalogue::error::ApiError;
use crate::catalogue::route::{DeclaredRoute, Found, NoRoute, Route, literals};
use crate::catalogue::routes::Routes;
use crate::catalogue::target::Target;

/// A guarded API.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Api {
    /// The account that owns the resources behind the API that nobody registered.
    pub(crate) account: Option<AccountName>,
    /// `true` if allowed requests carry an identity assertion.
    pub(crate) asserts_identity: bool,
    /// The parts of the base path.
    base: Vec<String>,
    routes: Routes,
}

impl Api {
    pub(crate) fn new(
        account: Option<AccountName>,
        servers: &[String],
        declared: Vec<DeclaredRoute>,
    ) -> Result<Self, ApiError> {
        let mut base: Option<&str> = None;
        for server in servers {
            let path = match server.split_once("://") {
                None => server,
                Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
            };
            let path = path.trim_matches('/');
            match base {
                Some(known) if known != path => {
                    return Err(ApiError::Servers(format!("/{known}"), format!("/{path}")));
                }
                _ => base = Some(path),
            }
        }
        let base = literals(base.unwrap_or_default())?;
        let mut api = Self { account, base, ..Self::default() };
        for one in declared {
            let (parts, route) = Route::new(one)?;
            api.routes.add(&parts, route);
        }
        Ok(api)
    }

    /// Returns the operations that match a request. Where several paths match, the request needs
    /// the rights of all, since it is not known which of them the API chooses.
    pub(crate) fn find(&self, method: &str, target: &Target<'_>) -> Result<Found<'_>, NoRoute> {
        let parts = target.parts();
        let Some((base, parts)) = parts.split_at_checked(self.base.len()) else {
            return Err(NoRoute::Unknown);
        };
        if !base.iter().zip(&self.base).all(|(part, known)| part == known) {
            return Err(NoRoute::Unknown);
        }
        let fitting = self.routes.fitting(parts)?;
        let of = |method: &str| -> Found<'_> {
            fitting.iter().copied().filter(|route| route.method == method).collect()
        };
        let mut found = of(method);
        if found.is_empty() && method == "HEAD" {
            found = of("GET");
        }
        if found.is_empty() { Err(NoRoute::Unknown) } else { Ok(found) }
    }

    /// Returns the number of operations.
    pub(crate) fn len(&self) -> usize {
        self.routes.len()
    }

    /// Returns the number of parts of the base path.
    pub(crate) fn base_length(&self) -> usize {
        self.base.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_policy::action_type;

    fn route(method: &str, path: &str, action: &str) -> DeclaredRoute {
        let in_path = path.contains("{id}");
        let (place, name) = if in_path { ("path", "id") } else { ("account", "") };
        let resource_type = action_type(action);
        let locator = serde_json::json!({"type": resource_type, "in": place, "name": name});
        DeclaredRoute {
            method: method.to_owned(),
            path: path.to_owned(),
            actions: vec![action.to_owned()],
            resources: vec![serde_json::from_value(locator).unwrap()],
            public: false,
            upgrades: false,
        }
    }

    fn shop() -> Api {
        let routes = vec![
            route("get", "/orders", "account:shop:orders/get"),
            route("get", "/orders/{id}", "order:shop:get"),
            route("delete", "/orders/{id}", "order:shop:delete"),
            route("get", "/orders/export", "account:shop:orders/export"),
        ];
        Api::new(None, &["https://api.example.com/v1/".to_owned()], routes).unwrap()
    }

    fn found(method: &str, target: &str) -> Result<Vec<String>, NoRoute> {
        let api = shop();
        let found = api.find(method, &Target::parse(target).unwrap())?;
        let required = found.into_iter().flat_map(|route| route.requires.iter().flatten());
        Ok(required.map(|requirement| requirement.action.clone()).collect())
    }

    #[test]
    fn a_request_needs_the_rights_of_every_operation_that_it_may_mean() {
        assert_eq!(found("GET", "/v1/orders/7").unwrap(), ["order:shop:get"]);
        assert_eq!(found("HEAD", "/v1/orders/7").unwrap(), ["order:shop:get"]);
        let both = ["account:shop:orders/export", "order:shop:get"];
        assert_eq!(found("GET", "/v1/orders/export").unwrap(), both);
    }

    #[test]
    fn what_is_not_declared_or_only_nearly_is_found_nowhere() {
        for (method, target) in [
            ("GET", "/orders"),
            ("GET", "/v2/orders"),
            ("GET", "/V1/orders"),
            ("POST", "/v1/orders"),
            ("get", "/v1/orders"),
            ("GET", "/v1/orders/7/lines"),
            ("GET", "/v1"),
        ] {
            assert_eq!(found(method, target), Err(NoRoute::Unknown), "{method} {target}");
        }
        for target in [
            "/v1/orders/EXPORT",
            "/v1/orders/export.json",
            "/v1/orders/export%20",
            "/v1/Orders/7",
            "/v1/order%C5%BF/7",
        ] {
            assert_eq!(found("GET", target), Err(NoRoute::Near), "{target}");
        }
    }

    #[test]
    fn a_declaration_that_would_guard_nothing_is_refused() {
        let refusal =
            |route: DeclaredRoute| Api::new(None, &[], vec![route]).unwrap_err().to_string();
        let mut wrong = route("get", "/orders/{id}", "order:shop:get");
        wrong.actions = vec!["basket:shop:get".to_owned()];
        assert!(refusal(wrong).contains("no x-iam-resource has the type basket"));
        let mut wrong = route("get", "/orders/{id}", "order:shop:get");
        wrong.path = "/orders/{other}".to_owned();
        assert!(refusal(wrong).contains("no parameter {id}"));
        let mut wrong = route("get", "/orders/{id}", "order:shop:get");
        wrong.path = "/orders/{id}.json".to_owned();
        assert!(refusal(wrong).contains("not a whole part"));
        let mut wrong = route("get", "/orders/{id}", "order:shop:get");
        wrong.actions.clear();
        assert!(refusal(wrong).contains("add x-iam-actions"));
        for path in ["/a".repeat(100_000), "a".repeat(100_000)] {
            let mut wrong = route("get", "/orders/{id}", "order:shop:get");
            wrong.path = path;
            let said = refusal(wrong);
            assert!(said.contains("too many parts") && said.len() < 200, "{said}");
        }
        let servers = ["https://a/v1".to_owned(), "/v2".to_owned()];
        assert!(Api::new(None, &servers, vec![]).is_err());
    }
}

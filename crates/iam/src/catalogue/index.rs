//! The catalogue of an installation, indexed by name and by resource type.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::quality::RandomState;
use gatewright_policy::{AccountName, action_type, check_action, hidden_character};

use crate::catalogue::action::{Action, ManagedGroup};
use crate::catalogue::api::Api;
use crate::catalogue::describe;
use crate::catalogue::error::{ApiError, CatalogueError};
use crate::catalogue::product::{Declared, DeclaredApi, DeclaredGroup, Product};
use crate::catalogue::route::Locator;
use crate::model::rights::{self, Category};
use crate::model::settings::BuiltInProducts;

/// All products of an installation, with their guarded APIs.
#[derive(Debug, Default, Clone)]
pub struct Catalogue {
    /// The actions by name.
    pub(crate) actions: BTreeMap<String, Action>,
    /// The names of the actions for fast look-ups, with whether query parameters may follow.
    names: HashMap<String, bool, RandomState>,
    types: BTreeMap<String, Vec<String>>,
    groups: BTreeMap<String, ManagedGroup>,
    apis: HashMap<String, Arc<Api>, RandomState>,
    /// The resource types whose resources are named by requests to guarded APIs.
    named_by_requests: BTreeSet<String>,
}

/// A product whose declarations are checked. It holds what decisions need of its file, not the file.
#[derive(Debug)]
pub(crate) struct CheckedProduct {
    file: String,
    resource_types: Vec<String>,
    pub(crate) actions: Vec<Declared>,
    groups: Vec<ManagedGroup>,
    api: Option<CheckedApi>,
}

/// A guarded API that is checked.
#[derive(Debug)]
struct CheckedApi {
    name: String,
    /// The account that owns the resources behind it, if it says one.
    owner: Option<AccountName>,
    api: Arc<Api>,
    /// The resource types whose resources are named by its requests.
    named_by_requests: Vec<String>,
}

impl CheckedProduct {
    fn parse(file: &str, text: &str) -> Result<Self, CatalogueError> {
        let file = || file.to_owned();
        let product = Product::parse(text)
            .map_err(|source| CatalogueError::Malformed { file: file(), source })?;
        for declared in &product.actions {
            check_action(&declared.action).map_err(|source| CatalogueError::Action {
                file: file(),
                action: declared.action.clone(),
                source,
            })?;
        }
        let compile = |group: DeclaredGroup| {
            let name = group.name.clone();
            group.compile().map_err(|source| CatalogueError::Group {
                file: file(),
                group: name,
                source,
            })
        };
        let groups = product.permissions_groups.into_iter().map(compile);
        let stem = Path::new(&file()).file_stem().map(|stem| stem.to_string_lossy().into());
        let api = product.api.map(|api| check_api(stem.unwrap_or_default(), api)).transpose();
        Ok(Self {
            file: file(),
            resource_types: product.resource_types,
            actions: product.actions,
            groups: groups.collect::<Result<_, _>>()?,
            api: api.map_err(|source| CatalogueError::Api { file: file(), source })?,
        })
    }

    /// Returns the account that owns the resources behind the guarded API, if it says one.
    pub(crate) fn owner(&self) -> Option<&AccountName> {
        self.api.as_ref().and_then(|api| api.owner.as_ref())
    }

    /// Checks the document of a guarded API that an account declares under a name.
    pub(crate) fn of_api(name: &str, document: &serde_json::Value) -> Result<Self, CatalogueError> {
        Self::parse(&format!("{name}.json"), &document.to_string())
    }
}

/// Checks a guarded API; it has the name of its file where it says none.
fn check_api(stem: String, declared: DeclaredApi) -> Result<CheckedApi, ApiError> {
    let DeclaredApi { name, account, servers, routes, asserts_identity } = declared;
    let name = name.unwrap_or(stem);
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "-_".contains(one);
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(ApiError::Name(name));
    }
    let locators = routes.iter().flat_map(|route| &route.resources);
    let named = locators.filter_map(Locator::type_named_by_request).map(str::to_owned);
    let named_by_requests = named.collect();
    let owner = account.clone();
    let mut api = Api::new(account, &servers, routes)?;
    api.asserts_identity = asserts_identity;
    Ok(CheckedApi { name, owner, api: Arc::new(api), named_by_requests })
}

/// The resource types, actions and managed groups of OVHcloud, in the format of any product.
const OVHCLOUD: &str = include_str!("../../data/ovhcloud.json");

impl Catalogue {
    /// Builds a catalogue from the texts of files, without the indexes that `completed` adds.
    ///
    /// Gatewright's own actions are always included.
    pub(crate) fn declared(
        built_in: BuiltInProducts,
        files: &[(PathBuf, String)],
    ) -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        for right in rights::ALL {
            let description = right.is_equal_to_administrator().then(|| right.explanation());
            let declared = Declared::new(right.action, Some(right.category));
            catalogue.add(Declared { description, ..declared });
        }
        if built_in == BuiltInProducts::Included {
            catalogue.add_product("the built-in product", OVHCLOUD)?;
        }
        for (path, text) in files {
            let file = path.display().to_string();
            check_visible(&file, text)?;
            catalogue.add_product(&file, text)?;
        }
        Ok(catalogue)
    }

    fn add_product(&mut self, file: &str, text: &str) -> Result<(), CatalogueError> {
        self.add_checked(&CheckedProduct::parse(file, text)?)
    }

    /// Checks that no other product has declared a guarded API of the name of this one's.
    pub(crate) fn check_name(&self, product: &CheckedProduct) -> Result<(), CatalogueError> {
        match &product.api {
            Some(api) if self.apis.contains_key(&api.name) => {
                let (file, source) = (product.file.clone(), ApiError::Twice(api.name.clone()));
                Err(CatalogueError::Api { file, source })
            }
            _ => Ok(()),
        }
    }

    /// Adds a product; fails where another has declared a guarded API of its name.
    pub(crate) fn add_checked(&mut self, product: &CheckedProduct) -> Result<(), CatalogueError> {
        self.check_name(product)?;
        for resource_type in &product.resource_types {
            self.types.entry(resource_type.clone()).or_default();
        }
        for declared in &product.actions {
            self.add(declared.clone());
        }
        for group in &product.groups {
            self.groups.insert(group.name.clone(), group.clone());
        }
        if let Some(CheckedApi { name, api, named_by_requests, .. }) = &product.api {
            self.apis.insert(name.clone(), Arc::clone(api));
            self.named_by_requests.extend(named_by_requests.iter().cloned());
        }
        Ok(())
    }

    /// Returns the names of the guarded APIs, each with its number of operations.
    pub fn apis(&self) -> BTreeMap<&str, usize> {
        self.apis.iter().map(|(name, api)| (name.as_str(), api.len())).collect()
    }

    /// Returns whether requests to a guarded API name the resources of a type.
    pub(crate) fn is_named_by_requests(&self, resource_type: &str) -> bool {
        self.named_by_requests.contains(resource_type)
    }

    /// Returns the guarded API with a name.
    pub(crate) fn api(&self, name: &str) -> Option<&Api> {
        self.apis.get(name).map(|api| &**api)
    }

    /// Adds a declared action; of an action that exists, the first description is kept.
    fn add(&mut self, declared: Declared) {
        let resource_type = action_type(&declared.action).to_owned();
        self.types.entry(resource_type).or_default();
        let name = declared.action.clone();
        let action = self.actions.entry(name).or_insert_with(|| Action {
            description: declared
                .description
                .clone()
                .unwrap_or_else(|| describe::action(&declared.action)),
            name: declared.action.clone(),
            categories: Vec::new(),
            has_query_parameters: false,
        });
        action.has_query_parameters |= declared.has_query_parameters;
        action.categories.extend(declared.categories);
        action.categories.sort_unstable();
        action.categories.dedup();
    }

    /// Adds the actions that every type has, and the indexes; once, when all products are there.
    pub(crate) fn completed(mut self) -> Self {
        let types: Vec<String> = self.types.keys().cloned().collect();
        for resource_type in types {
            for name in [rights::tag_add(&resource_type), rights::tag_remove(&resource_type)] {
                self.add(Declared::new(&name, Some(Category::Edit)));
            }
        }
        for action in self.actions.values() {
            self.names.insert(action.name.clone(), action.has_query_parameters);
            self.types
                .entry(action.resource_type().to_owned())
                .or_default()
                .push(action.name.clone());
        }
        self
    }

    /// Returns all actions, or those of one resource type, ordered by name.
    pub fn actions(&self, resource_type: Option<&str>) -> Vec<&Action> {
        match resource_type {
            None => self.actions.values().collect(),
            Some(resource_type) => self
                .action_names(resource_type)
                .iter()
                .filter_map(|name| self.actions.get(name))
                .collect(),
        }
    }

    /// Returns the names of the actions on resources of one type.
    pub(crate) fn action_names(&self, resource_type: &str) -> &[String] {
        self.types.get(resource_type).map_or(&[], Vec::as_slice)
    }

    /// Returns all resource types, ordered by name.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// Returns whether an action exists, with query parameters where it may have some.
    pub fn knows(&self, action: &str) -> bool {
        if self.names.contains_key(action) {
            return true;
        }
        let base = action.split_once('?').map(|(base, _)| base);
        base.and_then(|base| self.names.get(base)).copied().unwrap_or(false)
    }

    /// Resolves an abbreviated action: returns the name as it is given, or the only action on that
    /// resource type that ends in it; none where there is no such action, or several.
    pub(crate) fn resolve_action(&self, resource_type: &str, action: &str) -> Option<String> {
        if action.contains(':') {
            return self.knows(action).then(|| action.to_owned());
        }
        let ends = |name: &&String| name.rsplit_once(':').is_some_and(|(_, end)| end == action);
        let mut fitting = self.action_names(resource_type).iter().filter(ends);
        let found = fitting.next().filter(|_| fitting.next().is_none());
        found.cloned()
    }

    /// Returns the names of all actions, each with whether query parameters may follow.
    pub(crate) fn names(&self) -> std::collections::HashMap<Box<str>, bool> {
        self.names.iter().map(|(name, parameters)| (name.as_str().into(), *parameters)).collect()
    }

    /// Returns the managed permissions groups.
    pub fn groups(&self) -> impl Iterator<Item = &ManagedGroup> {
        self.groups.values()
    }

    /// Returns the managed permissions group with a name.
    pub fn group(&self, name: &str) -> Option<&ManagedGroup> {
        self.groups.get(name)
    }
}

/// Refuses names of actions and resource types with characters that nobody sees. APIs that were
/// declared before this was checked stay.
pub(crate) fn check_visible(file: &str, text: &str) -> Result<(), CatalogueError> {
    let product = Product::parse(text)
        .map_err(|source| CatalogueError::Malformed { file: file.to_owned(), source })?;
    let actions = product.actions.into_iter().map(|declared| declared.action);
    let mut names = actions.chain(product.resource_types);
    let hidden = names.find_map(|name| Some((hidden_character(&name)?, name)));
    hidden.map_or(Ok(()), |(character, name)| {
        Err(CatalogueError::Hidden { file: file.to_owned(), name, code: character.into() })
    })
}

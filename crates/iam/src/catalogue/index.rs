//! The catalogue of an installation, indexed by name and by resource type.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::quality::RandomState;
use gatewright_policy::{AccountName, check_action, hidden_character};

use crate::catalogue::action::{Action, ManagedGroup};
use crate::catalogue::api::Api;
use crate::catalogue::error::{ApiError, CatalogueError};
use crate::catalogue::product::{Declared, DeclaredApi, DeclaredGroup, Product};
use crate::catalogue::route::Locator;
use crate::model::rights::{self, Category};
use crate::model::settings::BuiltInProducts;

/// All products of an installation, with their guarded APIs.
#[derive(Debug, Default, Clone)]
pub struct Catalogue {
    /// The actions by name. They are shared with the products that declare them: a catalogue that
    /// lacks some, or follows this one, costs little.
    pub(crate) actions: BTreeMap<Arc<str>, Arc<Action>>,
    /// The names of the actions for fast look-ups, with whether query parameters may follow.
    names: HashMap<Arc<str>, bool, RandomState>,
    types: BTreeMap<String, Vec<Arc<str>>>,
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
    pub(crate) actions: Vec<Arc<Action>>,
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
    /// Parses a product, and checks all that it declares.
    fn parse(file: &str, text: &str) -> Result<Self, CatalogueError> {
        Self::of(file, parse(file, text)?)
    }

    /// Checks what a product declares.
    fn of(file: &str, product: Product) -> Result<Self, CatalogueError> {
        let file = || file.to_owned();
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
            actions: product.actions.into_iter().map(|one| Arc::new(one.into())).collect(),
            groups: groups.collect::<Result<_, _>>()?,
            api: api.map_err(|source| CatalogueError::Api { file: file(), source })?,
        })
    }

    /// Returns the account that owns the resources behind the guarded API, if it says one.
    pub(crate) fn owner(&self) -> Option<&AccountName> {
        self.api.as_ref().and_then(|api| api.owner.as_ref())
    }

    /// Parses the document of a guarded API that an account has declared under a name.
    pub(crate) fn of_api(name: &str, document: &str) -> Result<Self, CatalogueError> {
        Self::parse(&api_file(name), document)
    }

    /// Parses the document of a guarded API that an account declares now.
    pub(crate) fn of_new_api(name: &str, document: &str) -> Result<Self, CatalogueError> {
        let file = api_file(name);
        let product = parse(&file, document)?;
        check_visible(&file, &product)?;
        Self::of(&file, product)
    }

    /// Returns the number of its actions and operations, which is what it costs in memory.
    pub(crate) fn size(&self) -> usize {
        self.actions.len() + self.api.as_ref().map_or(0, |checked| checked.api.len())
    }
}

/// Returns the name of a file with the document of a guarded API, for messages.
fn api_file(name: &str) -> String {
    format!("{name}.json")
}

fn parse(file: &str, text: &str) -> Result<Product, CatalogueError> {
    let malformed = |source| CatalogueError::Malformed { file: file.to_owned(), source };
    Product::parse(text).map_err(malformed)
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
            catalogue.add(&Arc::new(Declared { description, ..declared }.into()));
        }
        if built_in == BuiltInProducts::Included {
            catalogue.add_checked(&CheckedProduct::parse("the built-in product", OVHCLOUD)?)?;
        }
        for (path, text) in files {
            let file = path.display().to_string();
            let product = parse(&file, text)?;
            check_visible(&file, &product)?;
            catalogue.add_checked(&CheckedProduct::of(&file, product)?)?;
        }
        Ok(catalogue)
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
            self.add(declared);
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
    fn add(&mut self, declared: &Arc<Action>) {
        let resource_type = declared.resource_type();
        if !self.types.contains_key(resource_type) {
            self.types.insert(resource_type.to_owned(), Vec::new());
        }
        match self.actions.entry(Arc::clone(&declared.name)) {
            Entry::Vacant(vacant) => {
                vacant.insert(Arc::clone(declared));
            }
            Entry::Occupied(mut known) if !declared.adds_nothing_to(known.get()) => {
                let action = Arc::make_mut(known.get_mut());
                action.has_query_parameters |= declared.has_query_parameters;
                action.categories.extend(&declared.categories);
                action.categories.sort_unstable();
                action.categories.dedup();
            }
            Entry::Occupied(_) => {}
        }
    }

    /// Adds the actions that every type has, and the indexes; once, when all products are there.
    pub(crate) fn completed(mut self) -> Self {
        let types: Vec<String> = self.types.keys().cloned().collect();
        for resource_type in types {
            for name in [rights::tag_add(&resource_type), rights::tag_remove(&resource_type)] {
                self.add(&Arc::new(Declared::new(&name, Some(Category::Edit)).into()));
            }
        }
        for action in self.actions.values() {
            self.names.insert(Arc::clone(&action.name), action.has_query_parameters);
            if let Some(names) = self.types.get_mut(action.resource_type()) {
                names.push(Arc::clone(&action.name));
            }
        }
        self
    }

    /// Returns all actions, or those of one resource type, ordered by name.
    pub fn actions(&self, resource_type: Option<&str>) -> Vec<&Action> {
        match resource_type {
            None => self.actions.values().map(|action| &**action).collect(),
            Some(resource_type) => self
                .action_names(resource_type)
                .iter()
                .filter_map(|name| self.actions.get(name).map(|action| &**action))
                .collect(),
        }
    }

    /// Returns the names of the actions on resources of one type.
    pub(crate) fn action_names(&self, resource_type: &str) -> &[Arc<str>] {
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
        let ends = |name: &&Arc<str>| name.rsplit_once(':').is_some_and(|(_, end)| end == action);
        let mut fitting = self.action_names(resource_type).iter().filter(ends);
        let found = fitting.next().filter(|_| fitting.next().is_none());
        found.map(ToString::to_string)
    }

    /// Returns the names of all actions, each with whether query parameters may follow.
    pub(crate) fn names(&self) -> std::collections::HashMap<Box<str>, bool> {
        self.names.iter().map(|(name, parameters)| ((&**name).into(), *parameters)).collect()
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
fn check_visible(file: &str, product: &Product) -> Result<(), CatalogueError> {
    let actions = product.actions.iter().map(|declared| &declared.action);
    let mut names = actions.chain(&product.resource_types);
    let hidden = names.find_map(|name| Some((hidden_character(name)?, name)));
    hidden.map_or(Ok(()), |(character, name)| {
        let (file, name) = (file.to_owned(), name.clone());
        Err(CatalogueError::Hidden { file, name, code: character.into() })
    })
}

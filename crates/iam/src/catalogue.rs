//! The products that policies are about: resource types, actions and managed permissions groups.

mod api;
mod describe;
mod document;
mod file;
mod live_catalogue;
mod propose;
mod routes;
mod target;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::quality::RandomState;
use gatewright_policy::{
    ActionError, CompiledPermissions, Permissions, PermissionsError, action_type, check_action,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rights;
use file::{Declared, DeclaredApi, Product};

pub use api::ApiError;
pub(crate) use api::{Api, NoRoute, Source};
pub use document::read_document;
pub(crate) use live_catalogue::{ApiDocument, LiveCatalogue};
pub use propose::propose;
pub(crate) use routes::Found;
pub use target::{Target, TargetError};

/// What kind of thing an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Category {
    /// Makes something new.
    Create,
    /// Looks.
    Read,
    /// Changes something.
    Edit,
    /// Runs something.
    Operate,
    /// Takes something away.
    Delete,
}

impl Category {
    /// The text of it on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Read => "READ",
            Self::Edit => "EDIT",
            Self::Operate => "OPERATE",
            Self::Delete => "DELETE",
        }
    }
}

/// An action that a product knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its name, `<resource type>:<namespace>:<path>`.
    pub name: String,
    /// What it does, for people.
    pub description: String,
    /// What kind of thing it does.
    pub categories: Vec<Category>,
    /// Whether `?` and parameters may follow its name.
    pub has_query_parameters: bool,
}

impl Action {
    /// The type of the resources that it works on.
    pub fn resource_type(&self) -> &str {
        action_type(&self.name)
    }
}

/// A permissions group that belongs to the server.
#[derive(Debug, Clone)]
pub struct ManagedGroup {
    /// Its identifier.
    pub id: Uuid,
    /// The last part of its URN.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// What it permits.
    pub permissions: Permissions,
    /// The same, ready to decide by.
    pub(crate) compiled: Arc<CompiledPermissions>,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: Option<i64>,
}

/// Who owns the managed permissions groups.
pub const MANAGED_OWNER: &str = "ovh";

/// Why a product's file is refused.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The folder or the file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{file}: {source}")]
    Malformed {
        /// Which one.
        file: String,
        /// Where, and what is wrong there.
        source: serde_json::Error,
    },
    /// The file is written in a language that is not read.
    #[error("{}: only JSON and YAML are read; convert this file", .0.display())]
    Unread(PathBuf),
    /// An action's name is wrong.
    #[error("{file}: the action \"{action}\" {source}")]
    Action {
        /// In which file.
        file: String,
        /// Which action.
        action: String,
        /// What is wrong with it.
        source: ActionError,
    },
    /// An API cannot be guarded by what the file says.
    #[error("{file}: {source}")]
    Api {
        /// In which file.
        file: String,
        /// What is wrong with it.
        source: ApiError,
    },
    /// A permissions group is wrong.
    #[error("{file}: in the permissions group \"{group}\", {source}")]
    Group {
        /// In which file.
        file: String,
        /// Which group.
        group: String,
        /// What is wrong with it.
        source: PermissionsError,
    },
}

/// Every product that an installation knows.
#[derive(Debug, Default, Clone)]
pub struct Catalogue {
    /// By name.
    actions: BTreeMap<String, Action>,
    /// The names of the actions, to look up fast.
    names: HashMap<String, bool, RandomState>,
    types: BTreeMap<String, Vec<String>>,
    groups: BTreeMap<String, ManagedGroup>,
    apis: HashMap<String, Api, RandomState>,
}

/// The types, actions and managed groups of OVHcloud, as one product among others.
const OVHCLOUD: &str = include_str!("../data/ovhcloud.json");

impl Catalogue {
    /// Reads the files of a folder, beside what is built in.
    ///
    /// `built_in` takes OVHcloud's product in; Gatewright's own actions are always there.
    pub fn load(built_in: bool, folder: Option<&Path>) -> Result<Self, CatalogueError> {
        Ok(Self::read(built_in, folder)?.completed())
    }

    /// The same without what `completed` adds.
    fn read(built_in: bool, folder: Option<&Path>) -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        for (name, category) in rights::ALL {
            catalogue.add(Declared::new(name, Some(*category)));
        }
        if built_in {
            catalogue.add_product("the built-in product", OVHCLOUD)?;
        }
        for path in folder.map_or_else(|| Ok(Vec::new()), files)? {
            let text = std::fs::read_to_string(&path);
            let text =
                text.map_err(|source| CatalogueError::Unreadable { path: path.clone(), source })?;
            catalogue.add_product(&path.display().to_string(), &text)?;
        }
        Ok(catalogue)
    }

    fn add_product(&mut self, file: &str, text: &str) -> Result<(), CatalogueError> {
        let file = || file.to_owned();
        let product = Product::parse(text)
            .map_err(|source| CatalogueError::Malformed { file: file(), source })?;
        for kind in product.resource_types {
            self.types.entry(kind).or_default();
        }
        for declared in product.actions {
            check_action(&declared.action).map_err(|source| CatalogueError::Action {
                file: file(),
                action: declared.action.clone(),
                source,
            })?;
            self.add(declared);
        }
        for group in product.permissions_groups {
            let name = group.name.clone();
            let group = group.compile().map_err(|source| CatalogueError::Group {
                file: file(),
                group: name.clone(),
                source,
            })?;
            self.groups.insert(name, group);
        }
        if let Some(api) = product.api {
            let stem = Path::new(&file()).file_stem().map(|stem| stem.to_string_lossy().into());
            self.add_api(stem.unwrap_or_default(), api)
                .map_err(|source| CatalogueError::Api { file: file(), source })?;
        }
        Ok(())
    }

    fn add_api(&mut self, stem: String, declared: DeclaredApi) -> Result<(), ApiError> {
        let DeclaredApi { name, account, servers, routes } = declared;
        let name = name.unwrap_or(stem);
        let is_plain = |one: char| one.is_ascii_alphanumeric() || "-_".contains(one);
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(ApiError::Name(name));
        }
        let api = Api::new(account, &servers, routes)?;
        if self.apis.contains_key(&name) {
            return Err(ApiError::Twice(name));
        }
        self.apis.insert(name, api);
        Ok(())
    }

    /// The guarded APIs by their names, and how many operations each has.
    pub fn apis(&self) -> BTreeMap<&str, usize> {
        self.apis.iter().map(|(name, api)| (name.as_str(), api.len())).collect()
    }

    /// The guarded API of that name.
    pub(crate) fn api(&self, name: &str) -> Option<&Api> {
        self.apis.get(name)
    }

    /// Takes an action in; where it is there already, the first description stays.
    fn add(&mut self, declared: Declared) {
        let kind = action_type(&declared.action).to_owned();
        self.types.entry(kind).or_default();
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
    fn completed(mut self) -> Self {
        let kinds: Vec<String> = self.types.keys().cloned().collect();
        for kind in kinds {
            for name in [rights::tag_add(&kind), rights::tag_remove(&kind)] {
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

    /// All actions in the order of their names, or those of one resource type.
    pub fn actions(&self, kind: Option<&str>) -> Vec<&Action> {
        match kind {
            None => self.actions.values().collect(),
            Some(kind) => {
                self.action_names(kind).iter().filter_map(|name| self.actions.get(name)).collect()
            }
        }
    }

    /// The names of the actions on resources of one type.
    pub(crate) fn action_names(&self, kind: &str) -> &[String] {
        self.types.get(kind).map_or(&[], Vec::as_slice)
    }

    /// All resource types in the order of their names.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// Whether an action of that name exists, with parameters where it may have some.
    pub fn knows(&self, action: &str) -> bool {
        if self.names.contains_key(action) {
            return true;
        }
        let base = action.split_once('?').map(|(base, _)| base);
        base.and_then(|base| self.names.get(base)).copied().unwrap_or(false)
    }

    /// The whole name of an action: as it is given, or the only one on resources of that type that ends
    /// in what is given.
    pub(crate) fn whole_name(&self, kind: &str, action: &str) -> Option<String> {
        if action.contains(':') {
            return self.knows(action).then(|| action.to_owned());
        }
        let ends = |name: &&String| name.rsplit_once(':').is_some_and(|(_, end)| end == action);
        let mut fitting = self.action_names(kind).iter().filter(ends);
        let found = fitting.next().filter(|_| fitting.next().is_none());
        found.cloned()
    }

    /// The names of all actions, and whether parameters may follow.
    pub(crate) fn names(&self) -> std::collections::HashMap<Box<str>, bool> {
        self.names.iter().map(|(name, parameters)| (name.as_str().into(), *parameters)).collect()
    }

    /// The permissions groups that belong to the server.
    pub fn groups(&self) -> impl Iterator<Item = &ManagedGroup> {
        self.groups.values()
    }

    /// A permissions group that belongs to the server.
    pub fn group(&self, name: &str) -> Option<&ManagedGroup> {
        self.groups.get(name)
    }
}

/// The products' files of a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, CatalogueError> {
    let unreadable = |source| CatalogueError::Unreadable { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json" | "yaml" | "yml") => paths.push(path),
            Some("toml") => return Err(CatalogueError::Unread(path)),
            _ => {}
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(files: &[(&str, &str)]) -> Result<Catalogue, CatalogueError> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Catalogue::load(false, Some(folder.path()))
    }

    #[test]
    fn the_built_in_product_has_its_actions_types_and_groups() {
        let catalogue = Catalogue::load(true, None).unwrap();
        assert!(catalogue.knows("vps:apiovh:reboot"));
        assert!(!catalogue.knows("vps:apiovh:fly"));
        assert!(catalogue.knows("vps:apiovh:iam/resource/tag/add"));
        assert!(catalogue.types().any(|kind| kind == "webHosting"));
        assert_eq!(catalogue.groups().count(), 11);
        assert_eq!(catalogue.group("globalAdmin").unwrap().permissions.allow, ["*"]);
        assert!(catalogue.actions(Some("vps")).iter().all(|one| one.resource_type() == "vps"));
        assert!(catalogue.actions(None).iter().all(|one| !one.description.is_empty()));
    }

    #[test]
    fn a_setting_leaves_the_built_in_product_out() {
        let catalogue = Catalogue::load(false, None).unwrap();
        assert!(!catalogue.knows("vps:apiovh:reboot"));
        assert!(catalogue.knows(rights::POLICY_CREATE));
        assert_eq!(catalogue.groups().count(), 0);
    }

    #[test]
    fn parameters_may_follow_where_the_action_says_so() {
        let catalogue = Catalogue::load(true, None).unwrap();
        assert!(catalogue.knows("pccVMware:vSphere:assumeRole?role=admin"));
        assert!(!catalogue.knows("vps:apiovh:reboot?now=1"));
    }

    #[test]
    fn a_folder_declares_products_and_openapi_documents() {
        let catalogue = loaded(&[
            (
                "coffee.json",
                r#"{"product":"Coffee","actions":[
                    {"action":"machine:brew:start","categories":["OPERATE"],"description":"Start"},
                    {"action":"machine:brew:stop"}]}"#,
            ),
            (
                "tea.json",
                r#"{"openapi":"3.0.0","info":{"title":"Tea"},"paths":{"/pot/{id}":{
                    "parameters":[],
                    "get":{"summary":"Look into a pot","x-iam-actions":[{"name":"pot:tea:get","required":true}]},
                    "delete":{"x-iam-actions":[{"name":"pot:tea:delete"}]}}}}"#,
            ),
            ("notes.txt", "not read"),
        ])
        .unwrap();
        let names = |kind| catalogue.action_names(kind).to_vec();
        assert_eq!(names("pot")[1..3], ["pot:apiovh:iam/resource/tag/remove", "pot:tea:delete"]);
        let get = &catalogue.actions["pot:tea:get"];
        assert_eq!(get.description, "Look into a pot");
        assert_eq!(get.categories, [Category::Read]);
        assert_eq!(catalogue.actions["machine:brew:start"].description, "Start");
        assert_eq!(catalogue.actions["machine:brew:stop"].description, "Stop");
    }

    #[test]
    fn a_wrong_file_is_named_with_what_is_wrong() {
        let refusal = |name: &str, text: &str| loaded(&[(name, text)]).unwrap_err().to_string();
        assert!(refusal("a.json", "{").contains("a.json: EOF"));
        assert!(refusal("a.json", r#"{"product":"x","actoins":[]}"#).contains("actoins"));
        let text = refusal("a.json", r#"{"product":"x","actions":[{"action":"a:b:*"}]}"#);
        assert!(
            text.ends_with(
                "the action \"a:b:*\" must not hold a *, a space or a control character"
            )
        );
        assert!(refusal("a.toml", "").contains("only JSON and YAML are read"));
        assert!(refusal("a.yaml", "product: x\nactoins: []").contains("a.yaml: unknown field"));
    }
}

//! Reads the product files of a folder.

use std::path::{Path, PathBuf};

use crate::catalogue::error::CatalogueError;
use crate::catalogue::index::Catalogue;
use crate::model::settings::BuiltInProducts;

impl Catalogue {
    /// Loads the catalogue from the files of a folder. Gatewright's own actions are always included.
    pub fn load(built_in: BuiltInProducts, folder: Option<&Path>) -> Result<Self, CatalogueError> {
        Ok(Self::declared(built_in, &texts(folder)?)?.completed())
    }
}

/// Reads the product files of a folder, ordered by name.
pub(crate) fn texts(folder: Option<&Path>) -> Result<Vec<(PathBuf, String)>, CatalogueError> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let read = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(source) => Err(CatalogueError::Unreadable { path, source }),
    };
    files(folder)?.into_iter().map(read).collect()
}

/// Lists the product files of a folder, ordered by name.
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
    use crate::model::rights::{self, Category};

    fn loaded(files: &[(&str, &str)]) -> Result<Catalogue, CatalogueError> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Catalogue::load(BuiltInProducts::LeftOut, Some(folder.path()))
    }

    #[test]
    fn the_built_in_product_has_its_actions_types_and_groups() {
        let catalogue = Catalogue::load(BuiltInProducts::Included, None).unwrap();
        assert!(catalogue.knows("vps:apiovh:reboot"));
        assert!(!catalogue.knows("vps:apiovh:fly"));
        assert!(catalogue.knows("vps:apiovh:iam/resource/tag/add"));
        assert!(catalogue.types().any(|resource_type| resource_type == "webHosting"));
        assert_eq!(catalogue.groups().count(), 11);
        assert_eq!(catalogue.group("globalAdmin").unwrap().permissions.allow, ["*"]);
        assert!(catalogue.actions(Some("vps")).iter().all(|one| one.resource_type() == "vps"));
        assert!(catalogue.actions(None).iter().all(|one| !one.description.is_empty()));
    }

    #[test]
    fn a_setting_leaves_the_built_in_product_out() {
        let catalogue = Catalogue::load(BuiltInProducts::LeftOut, None).unwrap();
        assert!(!catalogue.knows("vps:apiovh:reboot"));
        assert!(catalogue.knows(rights::POLICY_CREATE));
        assert_eq!(catalogue.groups().count(), 0);
    }

    #[test]
    fn parameters_may_follow_where_the_action_says_so() {
        let catalogue = Catalogue::load(BuiltInProducts::Included, None).unwrap();
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
                    {"action":"machine:brew:stop"}],
                    "permissionsGroups":[{"name":"barista"}]}"#,
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
        let names = |resource_type| {
            let names = catalogue.action_names(resource_type).iter();
            names.map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("pot")[1..3], ["pot:apiovh:iam/resource/tag/remove", "pot:tea:delete"]);
        let get = &catalogue.actions["pot:tea:get"];
        assert_eq!(get.description, "Look into a pot");
        assert_eq!(get.categories, [Category::Read]);
        assert_eq!(catalogue.actions["machine:brew:start"].description, "Start");
        assert_eq!(catalogue.actions["machine:brew:stop"].description, "Stop");
        assert_eq!(catalogue.group("barista").unwrap().created_at, None);
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
        let group = r#"{"product":"x","permissionsGroups":[{"name":"g","createdAt":"yesterday"}]}"#;
        assert!(refusal("a.json", group).contains("\"yesterday\" is no date"));
        assert!(refusal("a.toml", "").contains("only JSON and YAML are read"));
        assert!(refusal("a.yaml", "product: x\nactoins: []").contains("a.yaml: unknown field"));
    }
}

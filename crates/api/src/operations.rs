//! All operations of the API, each declared beside its handler.

use crate::operation::Operation;
use crate::{access, forward_auth, oauth2, v1, v2};

/// Lists all operations. The most frequent ones come first, so that they are found first.
pub(crate) fn operations() -> Vec<Operation> {
    let all = [
        forward_auth::operations(),
        oauth2::operations(),
        access::operations(),
        v1::operations(),
        v2::operations(),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use gatewright_iam::rights;

    use super::*;
    use crate::operation::Tree;

    const BEGINNING: &str = "# Rights

A right is an action that guards operations of Gatewright's own API. A policy allows it on the resource of
the account, `urn:v1:eu:resource:account:NAME`. Rights on resources and tags can also be allowed on a
single resource; tags on resources of one type can also be added and removed with
`TYPE:apiovh:iam/resource/tag/add` and `…/remove`. An operation without its right answers 403 with the
missing actions.

Some rights are *equal to administrator*: each of them alone leads to all others, since whoever has it can
give themselves any right, or act as somebody who has it. Give it to those alone who may do everything.
With the setting `only-administrators-grant` it is of use to nobody else.

This file is generated: `GATEWRIGHT_WRITE_DOCS=1 cargo test -p gatewright-api` writes it anew.

| action | category | description | operations |
| --- | --- | --- | --- |
";

    fn document(operations: &[Operation]) -> String {
        let mut text = BEGINNING.to_owned();
        for right in rights::ALL {
            let declared = operations.iter().map(|one| &one.declared);
            let guarded = declared.filter(|one| one.requires.contains(&right.action)).map(|one| {
                let tree = match one.tree {
                    Tree::V1 => "/v1",
                    Tree::V2 => "/v2",
                    Tree::Root => "",
                };
                format!("`{} {tree}{}`", one.method, one.path)
            });
            let guarded: Vec<String> = guarded.collect();
            let guarded = if guarded.is_empty() {
                "in the Control Panel, or beside another right".to_owned()
            } else {
                guarded.join(", ")
            };
            let (action, category) = (right.action, right.category.as_str());
            let description = right.explanation();
            writeln!(text, "| `{action}` | {category} | {description} | {guarded} |").unwrap();
        }
        text
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
    fn the_list_of_rights_in_the_repository_is_that_of_the_server() {
        let operations = operations();
        let text = document(&operations);
        let file = format!("{}/../../docs/rights.md", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("GATEWRIGHT_WRITE_DOCS").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let there = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            there == text,
            "docs/rights.md is out of date: \
             run GATEWRIGHT_WRITE_DOCS=1 cargo test -p gatewright-api, and look at the difference"
        );
        for action in operations.iter().flat_map(|one| one.declared.requires) {
            assert!(rights::ALL.iter().any(|right| right.action == *action), "{action}");
        }
    }
}

//! Buttons of the policy editor that change the form and save nothing, so that the editor works
//! without a script.

use gatewright_iam::{Proposal, ResourcePattern};

use super::changes::changes;
use super::editor::Editor;
use super::form::PolicyForm;
use super::tree::actions_of_category;
use crate::error::PageError;
use crate::format::add_line;
use crate::request::RequestContext;

/// Button of the editor, with its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Button<'t> {
    /// Changes the tree of conditions, at a position.
    Condition { act: &'t str, path: &'t str },
    /// Allows all actions of a category on resources of a type.
    AllOfCategory { resource_type: &'t str, category: &'t str },
    /// Adds all resources of a type.
    AddType,
    /// Adds a resource.
    AddResource,
    /// Adds the ticked entries, or searches: the form is read and rendered again.
    Refresh,
    /// Displays the changes of access.
    Preview,
    /// Simulates a decision.
    Simulate,
    /// Reads the policy from JSON.
    ReadJson,
}

impl<'t> Button<'t> {
    /// Parses the value of a button; none for the button that saves.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next().unwrap_or("");
        Some(match word() {
            "tree" => Self::Condition { act: word(), path: word() },
            "all" => Self::AllOfCategory { resource_type: word(), category: word() },
            "add-type" => Self::AddType,
            "add-resource" => Self::AddResource,
            "add" | "find" | "find-identity" => Self::Refresh,
            "preview" => Self::Preview,
            "try" => Self::Simulate,
            "read-json" => Self::ReadJson,
            _ => return None,
        })
    }

    /// Applies a button to the editor.
    pub(super) async fn press(
        self,
        request: &RequestContext,
        editor: &mut Editor,
    ) -> Result<(), PageError> {
        let form = &mut editor.form;
        match self {
            Self::Condition { act, path } => form.conditions.change(act, path),
            Self::AllOfCategory { resource_type, category } => {
                let catalogue = request.iam.catalogue_for(&request.context()?).await?;
                for action in actions_of_category(&catalogue, resource_type, category) {
                    add_line(&mut form.allow, &action);
                }
                resource_type.clone_into(&mut editor.open_type);
            }
            Self::AddType => {
                let resource_type = request.form.get("type");
                let region = request.iam.settings().region;
                let urn = ResourcePattern::of_type(region, resource_type);
                add_line(&mut form.resources, &urn);
            }
            Self::AddResource => add_line(&mut form.resources, request.form.get("resource")),
            Self::Refresh => {}
            Self::Preview => {
                editor.changes = changes(request, editor.target.id(), &editor.form).await?;
            }
            Self::Simulate => {
                let input = Some(form.input(&request.texts)?);
                let proposal = Proposal { id: editor.target.id(), input };
                editor.simulation.run(request, Some(proposal)).await?;
            }
            Self::ReadJson => *form = PolicyForm::from_json(request.form.get("json"))?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_button_that_saves_is_none() {
        let condition = Button::Condition { act: "wrap", path: "0-1" };
        assert_eq!(Button::parse("tree wrap 0-1"), Some(condition));
        assert_eq!(Button::parse("tree"), Some(Button::Condition { act: "", path: "" }));
        assert_eq!(Button::parse("find"), Some(Button::Refresh));
        for saves in ["save", "", "trees"] {
            assert_eq!(Button::parse(saves), None, "{saves}");
        }
    }
}

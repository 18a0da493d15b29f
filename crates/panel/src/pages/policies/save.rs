//! Creation and change of a policy.

use std::sync::Arc;

use super::buttons::Button;
use super::changes::unseen_changes;
use super::editor::{Editor, Target};
use crate::error::PageError;
use crate::form::{Form, InputError};
use crate::layout::Banner;
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

pub(super) async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    Editor::read(&request, Target::New).show(&request).await
}

pub(super) async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let id = request.id_parameter("id")?;
    let policy = request.iam.policy(&request.context()?, id).await?;
    Editor::of(policy).show_with_flash(&request).await
}

pub(super) async fn create(request: Arc<RequestContext>) -> HandlerResult {
    submit(&request, Editor::read(&request, Target::New)).await
}

pub(super) async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let id = request.id_parameter("id")??;
    submit(&request, Editor::read(&request, Target::Existing(id))).await
}

/// Applies a button, displays the changes of access, or saves.
async fn submit(request: &RequestContext, mut editor: Editor) -> HandlerResult {
    if let Some(button) = Button::parse(request.form.get("do")) {
        return press(request, editor, button).await;
    }
    if let Some(changes) = unseen_changes(request, editor.target.id(), &editor.form).await {
        editor.changes = Some(changes);
        let banner = Banner::warning(request.texts.say("changes-look"));
        let layout = request.layout(Editor::SECTION).with(banner);
        return editor.render(request, layout).await;
    }
    match save(request, &editor).await {
        Ok(path) => PageResponse::redirect(path),
        Err(error) => editor.reject(request, InputError::of(error)?).await,
    }
}

/// Renders the editor after a button changed it. An invalid input is displayed, but is not an
/// error, since nothing was to be saved.
async fn press(request: &RequestContext, mut editor: Editor, button: Button<'_>) -> HandlerResult {
    let mut layout = request.layout(Editor::SECTION);
    if let Err(error) = button.press(request, &mut editor).await {
        layout = layout.with(Banner::danger(InputError::of(error)?.message));
    }
    editor.render(request, layout).await
}

/// Saves the policy, and returns the path of its page.
async fn save(request: &RequestContext, editor: &Editor) -> Result<String, PageError> {
    let context = request.context()?;
    let input = editor.form.input(&request.texts);
    match editor.target.id() {
        None => {
            let policy = request.iam.create_policy(&context, input).await?;
            Ok(format!("/policies/{}?flash=flash-policy-created", policy.rule.id))
        }
        Some(id) => {
            request.iam.edit_policy(&context, Ok(id), input).await?;
            Ok(format!("/policies/{id}?flash=flash-edited"))
        }
    }
}

//! Policies: the table, and the editor that creates and changes one.

mod buttons;
mod changes;
mod choices;
mod condition_node;
mod conditions;
mod delete;
mod editor;
mod form;
mod json;
mod keys;
mod list;
mod save;
mod search;
mod terraform;
mod tree;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/policies", list::show),
        Route::page("/policies/create", save::create_form),
        Route::form("/policies/create", save::create),
        Route::page("/policies/{id}", save::details),
        Route::form("/policies/{id}", save::edit),
        Route::page("/policies/{id}/delete", delete::show),
        Route::form("/policies/{id}/delete", delete::delete).revokes(),
    ]
}

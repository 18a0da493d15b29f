//! Service accounts: the table, and the pages of one.

mod attach;
mod delete;
mod details;
mod form;
mod list;
mod naming;
mod state;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/service-accounts", list::show),
        Route::page("/service-accounts/create", form::create_form),
        Route::form("/service-accounts/create", form::create),
        Route::page("/service-accounts/{id}", details::show),
        Route::page("/service-accounts/{id}/edit", form::edit_form),
        Route::form("/service-accounts/{id}/edit", form::edit),
        Route::page("/service-accounts/{id}/delete", delete::show),
        Route::form("/service-accounts/{id}/delete", delete::delete).revokes(),
        Route::form("/service-accounts/{id}/enable", state::enable),
        Route::form("/service-accounts/{id}/disable", state::disable).revokes(),
        Route::form("/service-accounts/{id}/attach", attach::attach),
        Route::form("/service-accounts/{id}/detach", attach::detach).revokes(),
    ]
}

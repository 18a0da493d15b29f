//! Serves a shop on axum, guarded by policies.
//!
//! Usage: `GATEWRIGHT_URL=… GATEWRIGHT_ID=… GATEWRIGHT_SECRET=… PORT=… cargo run`

#![allow(clippy::disallowed_methods, reason = "an example is set up by its environment")]

use axum::extract::Path;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::routing::{delete, get};
use axum::{Extension, Json, RequestPartsExt, Router};
use gatewright_client::{Guard, Identity, Permission, RequiredPermissions, Settings};
use serde_json::json;

const ACCOUNT: &str = "xx11111-ovh";

/// Requires an action on the order that the path names, as axum has parsed it.
fn on_order(action: &'static str) -> impl Fn(&mut Parts) -> RequiredPermissions<'_> + Clone {
    move |parts| {
        Box::pin(async move {
            let Path(order) = parts.extract::<Path<String>>().await.ok()?;
            Some(vec![Permission(action, "order", order)])
        })
    }
}

/// Requires an action on the account.
fn on_account(action: &'static str) -> impl Fn(&mut Parts) -> RequiredPermissions<'_> + Clone {
    move |_| Box::pin(async move { Some(vec![Permission(action, "account", ACCOUNT.to_owned())]) })
}

async fn order(
    Path(order): Path<String>,
    Extension(identity): Extension<Identity>,
) -> impl IntoResponse {
    Json(json!({"order": order, "identity": identity.0}))
}

async fn cancel(Path(order): Path<String>) -> impl IntoResponse {
    Json(json!({ "cancelled": order }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = Guard::new(Settings {
        url: std::env::var("GATEWRIGHT_URL")?,
        credentials: (std::env::var("GATEWRIGHT_ID")?, std::env::var("GATEWRIGHT_SECRET")?),
        account: ACCOUNT.to_owned(),
    });
    let orders = get(async || Json(json!({"orders": ["7", "8"]})));
    let read = get(order).layer(guard.layer(on_order("order:shop:get")));
    let cancel = delete(cancel).layer(guard.layer(on_order("order:shop:delete")));
    let shop = Router::new()
        .route("/orders", orders.layer(guard.layer(on_account("account:shop:orders/get"))))
        .route("/orders/{order}", read.merge(cancel))
        .route("/health", get(async || Json(json!({"open": true}))));
    let address = format!("127.0.0.1:{}", std::env::var("PORT")?);
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, shop).await?)
}

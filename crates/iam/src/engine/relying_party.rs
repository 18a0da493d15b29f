//! The relying party of passkeys (`WebAuthn`).

use webauthn_rs::{Webauthn, WebauthnBuilder};

/// What checks passkeys at this URL; none where browsers have no passkeys, as at a bare address.
pub(crate) fn relying_party(public_url: &str) -> Option<Webauthn> {
    let url = url::Url::parse(public_url).ok()?;
    let domain = url.domain()?.to_owned();
    let builder = WebauthnBuilder::new(&domain, &url).ok()?;
    builder.rp_name("Gatewright").build().ok()
}

//! The relying party of passkeys (`WebAuthn`).

use webauthn_rs::{Webauthn, WebauthnBuilder};

/// Creates the relying party of the public URL; none where browsers support no passkeys, as at an
/// IP address.
pub(crate) fn relying_party(public_url: &str) -> Option<Webauthn> {
    let url = url::Url::parse(public_url).ok()?;
    let domain = url.domain()?.to_owned();
    let builder = WebauthnBuilder::new(&domain, &url).ok()?;
    builder.rp_name("Gatewright").build().ok()
}

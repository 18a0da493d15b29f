//! Flash messages: the page after a redirect confirms the completed operation.

/// Keys of the texts that the parameter `told` of a query may name. Others are ignored, so that no
/// link can make a page say anything else.
pub(crate) const FLASH_MESSAGES: [&str; 21] = [
    "told-deleted",
    "told-edited",
    "told-detached",
    "told-attached",
    "told-password",
    "told-session-ended",
    "told-user-created",
    "told-user-enabled",
    "told-user-disabled",
    "told-user-deleted",
    "told-resource-created",
    "told-resource-deleted",
    "told-token-deleted",
    "told-totp-removed",
    "told-passkey-added",
    "told-passkey-removed",
    "told-factors-reset",
    "told-group-created",
    "told-group-deleted",
    "told-policy-created",
    "told-policy-deleted",
];

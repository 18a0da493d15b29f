//! Flash messages: the page after a redirect confirms the completed operation.

/// Keys of the texts that the parameter `flash` of a query may name. Others are ignored, so that no
/// link can make a page say anything else.
pub(crate) const FLASH_MESSAGES: [&str; 25] = [
    "flash-deleted",
    "flash-client-enabled",
    "flash-client-disabled",
    "flash-edited",
    "flash-detached",
    "flash-attached",
    "flash-password",
    "flash-session-ended",
    "flash-user-created",
    "flash-user-enabled",
    "flash-user-disabled",
    "flash-user-deleted",
    "flash-resource-created",
    "flash-resource-deleted",
    "flash-token-deleted",
    "flash-totp-removed",
    "flash-passkey-added",
    "flash-passkey-removed",
    "flash-factors-reset",
    "flash-second-factor-required",
    "flash-second-factor-optional",
    "flash-group-created",
    "flash-group-deleted",
    "flash-policy-created",
    "flash-policy-deleted",
];

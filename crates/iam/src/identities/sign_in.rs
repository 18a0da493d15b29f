//! Sign-in of people: passwords, authenticator codes, passkeys, and the sessions that they open.

pub(crate) mod device;
mod guessable;
pub(crate) mod passkey;
pub(crate) mod password;
mod password_rules;
pub(crate) mod prove;
mod reauthentication;
mod second_factor;
pub(crate) mod second_factor_reset;
pub(crate) mod session;
pub(crate) mod totp;

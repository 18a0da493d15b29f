//! Scopes of tokens, as clients write them.

use gatewright_policy::Scope;

/// The scope that requests an ID token.
const ID_TOKEN: &str = "openid";

/// The scopes that request a person's contact details; a service account has none.
const ABOUT_PEOPLE: [&str; 2] = ["profile", "email"];

/// Parses a scope: `all`, or `<resource type>/all`, beside those of `OpenID` Connect. Of these,
/// `openid` alone is a scope that carries no right. Returns none when the text holds another scope,
/// or is empty.
pub(crate) fn read(text: &str) -> Option<Scope> {
    let (mut everything, mut id_token) = (false, false);
    let mut kinds = Vec::new();
    for one in text.split(' ').filter(|one| !one.is_empty()) {
        match one.strip_suffix("/all") {
            _ if one == "all" => everything = true,
            Some(kind) if is_type(kind) => kinds.push(kind.into()),
            _ if one == ID_TOKEN => id_token = true,
            _ if ABOUT_PEOPLE.contains(&one) => {}
            _ => return None,
        }
    }
    if everything {
        return Some(Scope::All);
    }
    (id_token || !kinds.is_empty()).then_some(Scope::Types(kinds))
}

fn is_type(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_all_or_types() {
        assert_eq!(read("all"), Some(Scope::All));
        assert_eq!(read("openid all  email"), Some(Scope::All));
        assert_eq!(read("account/all"), Some(Scope::Types(vec!["account".into()])));
        assert_eq!(read("ldp/stream/all"), Some(Scope::Types(vec!["ldp/stream".into()])));
        for nothing in ["openid", "openid profile", "email openid profile"] {
            assert_eq!(read(nothing), Some(Scope::Types(Vec::new())), "{nothing}");
        }
        for wrong in [
            "",
            "profile email",
            "openid account/read",
            "account/read",
            "everything",
            "/all",
            "all\nall",
            "*/all",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

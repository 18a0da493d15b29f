//! Generates descriptions for actions that have none, from their names.

/// Returns the description of an action: `vps:apiovh:ips/reverse/edit` is "Edit ips reverse".
pub(crate) fn action(name: &str) -> String {
    let path = name.splitn(3, ':').last().unwrap_or(name);
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let verb = parts.pop().unwrap_or(path);
    let mut text = words(if verb == "get" { "read" } else { verb });
    for part in parts {
        text.push(' ');
        text.push_str(&words(part));
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Splits a name in camel case into words.
fn words(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for letter in name.chars() {
        if letter.is_uppercase() && lower {
            text.push(' ');
            text.extend(letter.to_lowercase());
        } else {
            text.push(if letter == '_' || letter == '-' { ' ' } else { letter });
        }
        lower = letter.is_lowercase() || letter.is_ascii_digit();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::action;

    #[test]
    fn a_description_reads_like_one() {
        assert_eq!(action("vps:apiovh:reboot"), "Reboot");
        assert_eq!(action("vps:apiovh:ips/reverse/edit"), "Edit ips reverse");
        assert_eq!(action("vps:apiovh:automatedBackup/get"), "Read automated backup");
        assert_eq!(action("a:b:changeMainDNS"), "Change main dNS");
        assert_eq!(action("odd"), "Odd");
    }
}

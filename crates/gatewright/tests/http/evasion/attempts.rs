//! Builds the requests of the evasion tests over HTTP/1.1.

use super::table::{
    DROPPED, FRAMES, HEADERS, HIDDEN, LINES, OVERRIDES, PASSING, QUERIES, TARGETS, TILLS,
};

/// The request that waits behind an unclear frame.
const SMUGGLED: &str = "DELETE /orders/7 HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n";

/// A request, and what may become of it.
pub(super) struct Attempt {
    /// The name of its list.
    pub(super) list: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The attempt reaches the API.
    Passes,
    /// The attempt does not reach the API.
    Refused,
    /// The attempt reaches the API as what was decided on, or not at all.
    Harmless,
    /// The same; the proxy may wait for more of it, until the client ends the connection.
    Unfinished,
}

/// Builds a request of one line and headers, with the usual ones before them.
pub(super) fn request(line: &str, headers: &[&str], token: &str) -> Vec<u8> {
    let begins = |start: &str| {
        let is_it = |one: &&str| one.to_lowercase().starts_with(start);
        headers.iter().any(is_it)
    };
    let mut text = format!("{line}\r\n");
    for (usual, without) in [
        ("Host: shop", "!host"),
        ("Authorization: Bearer {token}", "!authorization"),
        ("Connection: close", "connection"),
    ] {
        if !begins(without) {
            text.extend([usual, "\r\n"]);
        }
    }
    for header in headers.iter().filter(|one| !one.starts_with('!')) {
        text.extend([*header, "\r\n"]);
    }
    bytes(&(text + "\r\n").replace("{token}", token))
}

/// Returns each character as one byte.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|one| u8::try_from(one).unwrap()).collect()
}

/// Lists all attempts over HTTP/1.1.
pub(super) fn attempts(token: &str) -> Vec<Attempt> {
    const SEVEN: &str = "GET /orders/7 HTTP/1.1";
    const TILL: &str = "GET /till HTTP/1.1";
    let mut all = Vec::new();
    let mut add = |list, fate, bytes| all.push(Attempt { list, bytes, fate });
    let get = |target: &str| request(&format!("GET {target} HTTP/1.1"), &[], token);
    for target in QUERIES {
        add("QUERIES", Fate::Passes, get(target));
    }
    for target in TARGETS {
        add("TARGETS", Fate::Harmless, get(target));
    }
    for target in OVERRIDES {
        add("OVERRIDES", Fate::Refused, get(target));
    }
    for long in [8_000, 8_185, 8_200, 70_000] {
        add("LONG", Fate::Harmless, get(&format!("/orders/7?{}", "a".repeat(long))));
        add("LONG", Fate::Refused, get(&format!("/orders/{}", "7".repeat(long))));
    }
    for line in LINES {
        add("LINES", Fate::Harmless, request(line, &[], token));
    }
    for headers in HEADERS {
        add("HEADERS", Fate::Harmless, request(SEVEN, headers, token));
    }
    for headers in PASSING {
        add("PASSING", Fate::Passes, request(SEVEN, headers, token));
    }
    for headers in TILLS {
        add("TILLS", Fate::Harmless, request(TILL, headers, token));
    }
    for name in DROPPED {
        let connection = format!("Connection: {name}");
        add("DROPPED", Fate::Harmless, request(SEVEN, &[&connection], token));
        add("DROPPED", Fate::Harmless, request(SEVEN, &["Connection: close", &connection], token));
        add("DROPPED", Fate::Harmless, request("GET /health HTTP/1.1", &[&connection], token));
        add("DROPPED", Fate::Refused, request("GET /orders/8 HTTP/1.1", &[&connection], token));
    }
    for header in HIDDEN {
        let name = header.split(':').next().unwrap();
        let connection = format!("Connection: {name}");
        for line in [SEVEN, "GET /health HTTP/1.1"] {
            add("HIDDEN", Fate::Harmless, request(line, &[header, &connection], token));
            let again = ["Connection: keep-alive", header, &connection];
            add("HIDDEN", Fate::Harmless, request(line, &again, token));
            let proxy = format!("Proxy-Connection: {name}");
            add("HIDDEN", Fate::Harmless, request(line, &[header, &proxy], token));
        }
        add(
            "HIDDEN",
            Fate::Refused,
            request("DELETE /orders/7 HTTP/1.1", &[header, &connection], token),
        );
    }
    for (headers, body) in FRAMES {
        let mut bytes_of_all =
            request(SEVEN, &[&["Connection: keep-alive"], *headers].concat(), token);
        bytes_of_all.extend(bytes(&body.replace("{}", SMUGGLED)));
        add("FRAMES", Fate::Unfinished, bytes_of_all);
    }
    all
}

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
struct Inner {
    urn: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Newtype(Inner);

#[derive(Debug, PartialEq, Deserialize)]
enum Choice {
    Unit,
    Newtype(Inner),
    Named { urn: String },
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Outer {
    list: Vec<Inner>,
    optional: Option<Inner>,
    map: BTreeMap<String, Inner>,
    newtype: Option<Newtype>,
    choice: Option<Choice>,
    pair: Option<(u8, Inner)>,
}

fn read(json: &str) -> Result<Outer, String> {
    let of_value = from_json_value::<Outer>(serde_json::from_str(json).unwrap());
    let of_text = parse_json::<Outer>(json);
    assert_eq!(of_value.is_ok(), of_text.is_ok(), "{json}");
    of_text.map_err(|error| error.to_string())
}

#[test]
fn a_list_in_the_place_of_an_object_is_refused_at_any_depth() {
    for json in [
        "[[], null, {}, null, null, null]",
        r#"{"list":[["a"]]}"#,
        r#"{"optional":["a"]}"#,
        r#"{"map":{"x":["a"]}}"#,
        r#"{"newtype":["a"]}"#,
        r#"{"choice":{"Newtype":["a"]}}"#,
        r#"{"choice":{"Named":["a"]}}"#,
        r#"{"pair":[1,["a"]]}"#,
    ] {
        assert!(serde_json::from_str::<Outer>(json).is_ok(), "{json}");
        let error = read(json).unwrap_err();
        assert!(error.starts_with("it must be an object such as {\""), "{json}: {error}");
    }
}

#[test]
fn objects_and_lists_in_their_places_are_read_as_ever() {
    let one = r#"{"urn":"a"}"#;
    let json = format!(
        r#"{{"list":[{one}],"optional":{one},"map":{{"x":{one}}},"newtype":{one},"choice":{{"Named":{one}}},"pair":[1,{one}]}}"#
    );
    assert_eq!(read(&json).unwrap(), serde_json::from_str(&json).unwrap());
    assert_eq!(read(r#"{"choice":"Unit"}"#).unwrap().choice, Some(Choice::Unit));
    let newtype = format!(r#"{{"choice":{{"Newtype":{one}}},"optional":null}}"#);
    assert_eq!(read(&newtype).unwrap(), serde_json::from_str(&newtype).unwrap());
}

#[test]
fn what_is_no_object_is_told_how_one_looks() {
    let error = read(r#"{"list":["a"]}"#).unwrap_err();
    assert!(error.contains(r#"string "a", expected an object such as {"urn": …}"#), "{error}");
}

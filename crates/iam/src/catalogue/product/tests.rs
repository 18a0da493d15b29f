use super::*;

#[test]
fn a_list_is_read_as_no_object_of_a_product_or_an_openapi_document() {
    let document = |operation: &str| {
        format!(r#"{{"openapi":"3.1.0","paths":{{"/a/{{b}}":{{"get":{operation}}}}}}}"#)
    };
    let locator = r#"{"type":"a","in":"path","name":"b"}"#;
    let guard = r#""x-iam-actions":[{"name":"a:apiovh:get"}]"#;
    for resources in [locator.to_owned(), format!("[{locator},{locator}]")] {
        let text = document(&format!(r#"{{{guard},"x-iam-resource":{resources}}}"#));
        let routes = Product::parse(&text).unwrap().api.unwrap().routes;
        let count = resources.matches("path").count();
        assert_eq!(routes.iter().map(|one| one.resources.len()).sum::<usize>(), count);
    }
    for positional in [
        "[a, [b], []]".to_owned(),
        r#"{"product":"a","actions":[["a:apiovh:get"]]}"#.to_owned(),
        r#"{"product":"a","permissionsGroups":[{"name":"a","permissions":[["a:b:c"]]}]}"#
            .to_owned(),
        document(r#"["summary", []]"#),
        document(&format!(r#"{{"x-iam-actions":[["a:apiovh:get"]],"x-iam-resource":{locator}}}"#)),
        document(&format!(r#"{{{guard},"x-iam-resource":["a","path","b"]}}"#)),
        document(&format!(r#"{{{guard},"x-iam-resource":[["a","path","b"]]}}"#)),
    ] {
        let error = Product::parse(&positional).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("an object"), "{positional}: {error}");
    }
}

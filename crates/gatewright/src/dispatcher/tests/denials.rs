//! Denials to proxies have a status that each of them understands.

use envoy_types::ext_authz::v3::pb::HttpResponse;

use super::envoy::Envoy;
use super::installation::{ACCOUNT, Credential, Installation, Payload};

#[tokio::test]
async fn a_minimum_revision_that_makes_no_sense_is_denied_with_a_reason() {
    let installation = Installation::new().await;
    let mut envoy = Envoy::connect(&installation).await;
    let future = format!("{ACCOUNT}:999999");
    for revision in ["nonsense", &future] {
        let minimum = ("x-gatewright-at-least", revision);
        let nginx = [("x-original-method", "GET"), ("x-original-uri", "/books/7"), minimum];
        for (target, headers) in [
            ("/forward-auth/nginx/library", &nginx[..]),
            ("/ext-authz/library/books/7", &[minimum]),
        ] {
            let request = ("GET", target);
            let reply = installation.send(request, Credential::Token, Payload::None, headers).await;
            assert_eq!(reply.status, 403, "{target} {revision}: {}", reply.body);
            assert_eq!(reply.headers["x-gatewright-missing"], "", "{target} {revision}");
            let reason = reply.headers["x-gatewright-reason"].to_str().unwrap();
            assert!(reason.contains("revision"), "{target} {revision}: {reason}");
        }
        let HttpResponse::DeniedResponse(denied) = envoy.ask_with("/books/7", &[minimum]).await
        else {
            panic!("the request passes");
        };
        assert_eq!(denied.status.unwrap().code, 403, "{revision}");
    }
}

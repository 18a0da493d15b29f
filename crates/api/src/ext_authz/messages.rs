//! The protobuf messages of `envoy.service.auth.v3.Authorization`, with the fields that are used
//! here.
//!
//! Written by hand: a dozen are needed, and the crate with all of Envoy's messages takes longer to
//! build than any other dependency. The tests call the service with that crate, which proves the
//! field numbers.

use std::collections::HashMap;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) attributes: Option<AttributeContext>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AttributeContext {
    #[prost(message, optional, tag = "1")]
    pub(super) source: Option<Peer>,
    #[prost(message, optional, tag = "4")]
    pub(super) request: Option<Request>,
    #[prost(map = "string, string", tag = "10")]
    pub(super) context_extensions: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Peer {
    #[prost(message, optional, tag = "1")]
    pub(super) address: Option<Address>,
}

/// An address: one of several kinds, of which only socket addresses are read.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Address {
    #[prost(message, optional, tag = "1")]
    pub(super) socket_address: Option<SocketAddress>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SocketAddress {
    #[prost(string, tag = "2")]
    pub(super) address: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Request {
    #[prost(message, optional, tag = "2")]
    pub(super) http: Option<HttpRequest>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HttpRequest {
    #[prost(string, tag = "2")]
    pub(super) method: String,
    #[prost(map = "string, string", tag = "3")]
    pub(super) headers: HashMap<String, String>,
    #[prost(string, tag = "4")]
    pub(super) path: String,
    #[prost(message, optional, tag = "13")]
    pub(super) header_map: Option<HeaderMap>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderMap {
    #[prost(message, repeated, tag = "1")]
    pub(super) headers: Vec<HeaderValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) raw_value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderValueOption {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<HeaderValue>,
    #[prost(enumeration = "HeaderAppendAction", tag = "3")]
    pub(super) append_action: i32,
}

/// The way to add a header that the request already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum HeaderAppendAction {
    AppendIfExistsOrAdd = 0,
    OverwriteIfExistsOrAdd = 2,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<RpcStatus>,
    #[prost(oneof = "HttpResponse", tags = "2, 3")]
    pub(super) http_response: Option<HttpResponse>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum HttpResponse {
    #[prost(message, tag = "2")]
    Denied(DeniedHttpResponse),
    #[prost(message, tag = "3")]
    Ok(OkHttpResponse),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DeniedHttpResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderValueOption>,
    #[prost(string, tag = "3")]
    pub(super) body: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HttpStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OkHttpResponse {
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderValueOption>,
    #[prost(string, repeated, tag = "5")]
    pub(super) headers_to_remove: Vec<String>,
}

#[cfg(test)]
mod tests {
    use envoy_types::ext_authz::v3::pb;
    use envoy_types::pb::envoy::config::core::v3 as core;
    use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, attribute_context};
    use prost::Message;

    use super::*;

    fn header(key: &str, value: &str) -> core::HeaderValue {
        core::HeaderValue { key: key.into(), value: value.into(), raw_value: vec![0xff] }
    }

    #[test]
    fn a_request_is_read_as_envoy_writes_it() {
        let socket = core::SocketAddress { address: "192.0.2.7".into(), ..Default::default() };
        let address =
            core::Address { address: Some(core::address::Address::SocketAddress(socket)) };
        let http = attribute_context::HttpRequest {
            method: "GET".into(),
            path: "/a?b".into(),
            headers: [("x-a".to_owned(), "1".to_owned())].into(),
            header_map: Some(core::HeaderMap { headers: vec![header("x-b", "2")] }),
            ..Default::default()
        };
        let request = attribute_context::Request { http: Some(http), ..Default::default() };
        let peer = attribute_context::Peer { address: Some(address), ..Default::default() };
        let attributes = AttributeContext {
            source: Some(peer),
            request: Some(request),
            context_extensions: [("api".to_owned(), "shop".to_owned())].into(),
            ..Default::default()
        };
        let theirs = pb::CheckRequest { attributes: Some(attributes) }.encode_to_vec();

        let ours = CheckRequest::decode(theirs.as_slice()).unwrap().attributes.unwrap();
        let socket = ours.source.unwrap().address.unwrap().socket_address.unwrap();
        let http = ours.request.unwrap().http.unwrap();
        assert_eq!(socket.address, "192.0.2.7");
        assert_eq!(ours.context_extensions["api"], "shop");
        assert_eq!((http.method.as_str(), http.path.as_str()), ("GET", "/a?b"));
        assert_eq!(http.headers["x-a"], "1");
        let map = http.header_map.unwrap().headers;
        assert_eq!((map[0].key.as_str(), map[0].value.as_str()), ("x-b", "2"));
        assert_eq!(map[0].raw_value, [0xff]);
    }

    fn option() -> HeaderValueOption {
        let header = HeaderValue { key: "x-a".into(), value: "1".into(), raw_value: Vec::new() };
        let append_action = HeaderAppendAction::OverwriteIfExistsOrAdd.into();
        HeaderValueOption { header: Some(header), append_action }
    }

    fn as_envoy_reads_it(code: i32, response: HttpResponse) -> pb::CheckResponse {
        let status = Some(RpcStatus { code });
        let ours = CheckResponse { status, http_response: Some(response) };
        pb::CheckResponse::decode(ours.encode_to_vec().as_slice()).unwrap()
    }

    #[test]
    fn a_response_is_written_as_envoy_reads_it() {
        let ok =
            OkHttpResponse { headers: vec![option()], headers_to_remove: vec!["x-b".to_owned()] };
        let read = as_envoy_reads_it(0, HttpResponse::Ok(ok));
        let Some(pb::HttpResponse::OkResponse(ok)) = read.http_response else { panic!("{read:?}") };
        assert_eq!(ok.headers_to_remove, ["x-b"]);
        assert_eq!(ok.headers[0].header.as_ref().unwrap().value, "1");
        let overwrite = pb::HeaderAppendAction::OverwriteIfExistsOrAdd;
        assert_eq!(ok.headers[0].append_action(), overwrite);

        let status = Some(HttpStatus { code: 403 });
        let denied = DeniedHttpResponse { status, headers: vec![option()], body: "no".to_owned() };
        let read = as_envoy_reads_it(7, HttpResponse::Denied(denied));
        assert_eq!(read.status.unwrap().code, 7);
        let Some(pb::HttpResponse::DeniedResponse(denied)) = read.http_response else {
            panic!("not denied")
        };
        assert_eq!(denied.status.unwrap().code, 403);
        assert_eq!((denied.body.as_str(), denied.headers.len()), ("no", 1));
    }
}

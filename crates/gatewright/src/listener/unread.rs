//! Bodies that their handler left unread: a request that was refused by its head.
//!
//! On HTTP/1.1 the next request comes after the body, so the body is read and dropped where it is
//! small and there already. Else the response announces that the connection is closed.

use std::pin::{Pin, pin};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::http::header::{CONNECTION, EXPECT};
use axum::http::{HeaderMap, HeaderValue, Request, Version};

/// The maximum number of bytes that are read and dropped.
pub(crate) const MOST_DROPPED: u64 = 64 << 10;

/// The time for that. The response waits for it.
const TIMEOUT: Duration = Duration::from_millis(250);

/// The disposal of the body of a request that is left unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposal {
    /// None: the body belongs to a stream of its own.
    None,
    /// The body may be read and dropped.
    Droppable,
    /// The client sends it only if it is told to (RFC 9110, section 10.1.1).
    Awaited,
}

impl Disposal {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        if request.version() > Version::HTTP_11 {
            Self::None
        } else if request.headers().contains_key(EXPECT) {
            Self::Awaited
        } else {
            Self::Droppable
        }
    }

    /// Reads and drops an unread body if it may be; else announces the end of the connection. Returns
    /// whether the connection goes on.
    pub(super) async fn dispose<B>(self, body: B, response: &mut HeaderMap) -> bool
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        let goes_on = match self {
            Self::None => true,
            Self::Awaited => false,
            Self::Droppable => {
                tokio::time::timeout(TIMEOUT, drop_all(pin!(body))).await.unwrap_or(false)
            }
        };
        if !goes_on {
            response.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        goes_on
    }
}

/// Reads a body to its end; gives up where it is too large.
async fn drop_all<B: HttpBody<Data = Bytes>>(mut body: Pin<&mut B>) -> bool {
    let mut dropped = 0;
    loop {
        let size = body.size_hint();
        if dropped + size.upper().unwrap_or(size.lower()) > MOST_DROPPED {
            return false;
        }
        match std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                dropped += u64::try_from(bytes).unwrap_or(u64::MAX);
            }
            Some(Err(_)) => return false,
            None => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn disposed(disposal: Disposal, size: usize) -> (bool, bool) {
        let mut headers = HeaderMap::new();
        let goes_on = disposal.dispose(Body::from("x".repeat(size)), &mut headers).await;
        (goes_on, headers.contains_key(CONNECTION))
    }

    #[tokio::test]
    async fn a_small_body_is_dropped_and_a_large_one_ends_the_connection_as_announced() {
        assert_eq!(disposed(Disposal::Droppable, 60_000).await, (true, false));
        assert_eq!(disposed(Disposal::Droppable, 70_000).await, (false, true));
        assert_eq!(disposed(Disposal::Awaited, 10).await, (false, true));
        assert_eq!(disposed(Disposal::None, 70_000).await, (true, false));
    }

    #[test]
    fn a_body_that_is_awaited_is_not_read() {
        let disposal =
            |request: axum::http::request::Builder| Disposal::of(&request.body(()).unwrap());
        assert_eq!(disposal(Request::builder()), Disposal::Droppable);
        assert_eq!(disposal(Request::builder().header(EXPECT, "100-continue")), Disposal::Awaited);
        assert_eq!(disposal(Request::builder().version(Version::HTTP_2)), Disposal::None);
    }
}

//! `/iam/replica`: the facts that remote decision points follow, as JSON lines.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::try_unfold;
use gatewright_iam::{
    Context, Fact, Fault, IamError, Input, ReachedEntry, ReplicaPlace, ReplicaPosition, Secret,
    rights,
};

use crate::edge::bearer;
use crate::error::ApiError;
use crate::operation::{Operation, Parameter};
use crate::request::{Request, ThreadIam};
use crate::respond::{Lines, NoStore};
use crate::wire::FactLine;

const AFTER: Parameter = Parameter::text("after");
const HASH: Parameter = Parameter::text("hash");

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/iam/replica", "Replicate the policies of an account")
            .requires(&[rights::REPLICA_GET])
            .query(&[AFTER, HASH])
            .extension()
            .handle(follow),
    ]
}

/// A caller that follows an account, and its position.
struct Follower {
    iam: ThreadIam,
    token: Secret,
    context: Context,
    followed: ReplicaPosition,
    /// The facts that were read before the response began.
    first: Option<Vec<Fact>>,
    /// Held while it follows.
    _place: ReplicaPlace,
}

async fn follow(context: Context, request: Request) -> Result<NoStore<Lines<FactLine>>, ApiError> {
    let iam = Arc::clone(&request.iam);
    let token = Secret::from(bearer(&request.headers)?.reveal().to_owned());
    // Rights are checked before the response begins, so that a denial has its status.
    let (first, followed) = match after(&request) {
        None => iam.follow(&context, ReplicaPosition::Nothing).await?,
        Some(reached) => iam.resume(&context, reached).await?,
    };
    let place = iam.replica_place(&context)?;
    let first = Some(first);
    let follower = Follower { iam, token, context, followed, first, _place: place };
    let lines = try_unfold(follower, |mut follower| async move {
        let Some(facts) = follower.next().await? else { return Ok(None) };
        let mut lines = Vec::new();
        for fact in facts {
            serde_json::to_writer(&mut lines, &fact).map_err(IamError::from)?;
            lines.push(b'\n');
        }
        Ok::<_, IamError>(Some((Bytes::from(lines), follower)))
    });
    Ok(NoStore(Lines::new(Body::from_stream(lines))))
}

impl Follower {
    /// Waits for the next facts; none once the server stops.
    async fn next(&mut self) -> Result<Option<Vec<Fact>>, IamError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if self.iam.is_stopping() {
            return Ok(None);
        }
        // The token may have expired since.
        self.context.now = self.iam.now();
        self.iam.authenticate(self.token.reveal(), self.context.now).await?;
        let (facts, followed) = self.iam.follow(&self.context, self.followed.clone()).await?;
        self.followed = followed;
        Ok(Some(facts))
    }
}

/// Reads the revision up to which the caller has already followed the journal.
fn after(request: &Request) -> Option<Input<ReachedEntry>> {
    let text = request.query.only(AFTER.name).transpose()?;
    let hash = request.query.only(HASH.name);
    let reached = text.ok().and_then(|text| text.parse().ok()).zip(hash.ok());
    let reached =
        reached.map(|(revision, hash)| ReachedEntry { revision, hash: hash.map(Into::into) });
    Some(reached.ok_or_else(|| {
        let message = "\"after\" must be a revision that was reached before, such as 42, and \
                       \"hash\" what was sent with it";
        IamError::invalid(Fault::Parameter, message)
    }))
}

//! Known devices (OWASP "device cookies"): whoever has signed in with a browser before is not kept
//! out by the failures of strangers.

use gatewright_policy::{Identity, Login};
use gatewright_store::Kind;

use crate::core::iam::Iam;
use crate::model::caller::Origin;
use crate::model::device::{CredentialTimes, DeviceId, KNOWN_FOR, MOST, SignedInDevice};
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::principal_key::user_key;
use crate::model::secret::Secret;
use crate::model::session::SessionToken;
use crate::model::totp::TotpDocument;
use crate::model::user::UserDocument;

/// The purpose that known devices are sealed for.
const PURPOSE: &str = "known device";

/// The maximum length of what a browser presents.
const LONGEST: usize = 4_096;

impl Iam {
    /// Returns what a browser is to keep, and to present at the next sign-in, after a person has
    /// signed in with it. Those who signed in with it before stay known.
    pub async fn remember_device(
        &self,
        session: &SessionToken,
        origin: &Origin,
    ) -> Result<Secret, IamError> {
        let view = self.views.get(&session.account).await?;
        let id = session.id();
        let document = view.sessions.get(id.as_str()).filter(|one| !one.pending);
        let identity = document.ok_or(IamError::BadCredential)?.identity.clone();
        let times = self.credential_times(&identity).await?.ok_or(IamError::BadCredential)?;
        let known = self.known_devices(origin);
        let mut devices = known.iter().map(|(_, one)| one);
        let same = devices.find(|one| one.identity == identity && one.credentials == times);
        let id = match same {
            Some(known) => known.id,
            None => self.sources.id()?,
        };
        let own = SignedInDevice { identity: identity.clone(), id, credentials: times };
        let own = self.tokens.seal_state(PURPOSE, &serde_json::to_vec(&own)?, origin.now)?;
        // They stay as they are, with the times of their own sign-ins.
        let others = known.iter().filter(|(_, one)| one.identity != identity).take(MOST - 1);
        let others = others.map(|(sealed, _)| *sealed);
        let kept: Vec<&str> = std::iter::once(own.as_str()).chain(others).collect();
        Ok(kept.join(".").into())
    }

    /// Returns the device of a request, if its person has signed in with it by the credentials that
    /// they have now.
    pub(crate) async fn known_device(
        &self,
        identity: &str,
        origin: &Origin,
    ) -> Result<Option<DeviceId>, IamError> {
        let mut devices = self.known_devices(origin).into_iter().map(|(_, one)| one);
        let Some(known) = devices.find(|one| one.identity == identity) else { return Ok(None) };
        let times = self.credential_times(identity).await?;
        Ok(times.filter(|times| *times == known.credentials).map(|_| known.id))
    }

    /// Returns the times of a person's credentials; none where there is no such person.
    async fn credential_times(&self, identity: &str) -> Result<Option<CredentialTimes>, IamError> {
        let identity =
            Identity::parse(identity, self.settings.region).map_err(IamError::internal)?;
        let account = identity.account();
        let (created_at, password_changed_at) = if let Some(login) = identity.name() {
            let id = user_key(account, &Login::new(login));
            let object = self.store.object(account, Kind::User, &id).await?;
            let Some(object) = object else { return Ok(None) };
            let user = UserDocument::read(&object.document)?;
            (user.created_at, user.password_changed_at)
        } else {
            let profile = self.profile(account).await?;
            (profile.created_at, profile.password_changed_at)
        };
        let totp = self.store.object(account, Kind::Totp, identity.urn()).await?;
        let totp = totp.map(|object| TotpDocument::read(&object.document)).transpose()?;
        let totp_created_at = totp.map(|totp| totp.created_at);
        Ok(Some(CredentialTimes { created_at, password_changed_at, totp_created_at }))
    }

    /// Returns the devices that a browser presents, each with what it was sealed to.
    fn known_devices<'o>(&self, origin: &'o Origin) -> Vec<(&'o str, SignedInDevice)> {
        let presented = origin.device.as_ref().map_or("", Secret::reveal);
        if presented.len() > LONGEST {
            return Vec::new();
        }
        let devices = presented.split('.').take(MOST).filter_map(|sealed| {
            let opened = self.tokens.open_state(PURPOSE, sealed, (origin.now, KNOWN_FOR))?;
            Some((sealed, serde_json::from_slice(&opened).ok()?))
        });
        devices.collect()
    }
}

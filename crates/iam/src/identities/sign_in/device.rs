//! Known devices (OWASP "device cookies"): whoever has signed in with a browser before is not kept
//! out by the failures of strangers.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::core::iam::Iam;
use crate::model::caller::Origin;
use crate::model::device::{DeviceId, KNOWN_FOR, MOST, SignedInDevice};
use crate::model::error::IamError;
use crate::model::secret::Secret;
use crate::model::session::SessionToken;

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
        let known = self.known_devices(origin);
        let id = match known.iter().find(|one| one.identity == identity) {
            Some(known) => known.id,
            None => self.sources.id()?,
        };
        let own = SignedInDevice { identity: identity.clone(), id, since: origin.now };
        let others = known.into_iter().filter(|one| one.identity != identity).take(MOST - 1);
        let sealed = std::iter::once(own).chain(others).map(|device| {
            let sealed = self.tokens.seal(PURPOSE, serde_json::to_vec(&device)?)?;
            Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
        });
        let sealed: Vec<String> = sealed.collect::<Result<_, IamError>>()?;
        Ok(sealed.join(".").into())
    }

    /// Returns the device of a request, if its person has signed in with it.
    pub(crate) fn known_device(&self, identity: &str, origin: &Origin) -> Option<DeviceId> {
        let known = self.known_devices(origin);
        known.into_iter().find(|one| one.identity == identity).map(|one| one.id)
    }

    fn known_devices(&self, origin: &Origin) -> Vec<SignedInDevice> {
        let presented = origin.device.as_ref().map_or("", Secret::reveal);
        if presented.len() > LONGEST {
            return Vec::new();
        }
        let devices = presented.split('.').take(MOST).filter_map(|sealed| {
            let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
            let opened = self.tokens.unseal(PURPOSE, &sealed)?;
            let device: SignedInDevice = serde_json::from_slice(&opened).ok()?;
            (origin.now < device.since.saturating_add(KNOWN_FOR)).then_some(device)
        });
        devices.collect()
    }
}

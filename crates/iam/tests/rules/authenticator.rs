//! An authenticator of passkeys (`WebAuthn` level 3, with attestation `none`).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const CREDENTIAL: &[u8; 16] = b"a credential id.";

/// User present and verified.
const VERIFIED: u8 = 0x05;

/// The authenticator data has a credential.
const HAS_CREDENTIAL: u8 = 0x40;

/// An authenticator with one passkey.
pub(crate) struct Authenticator {
    key: EcdsaKeyPair,
    relying_party: &'static str,
    origin: &'static str,
    user: Value,
    counter: u32,
}

fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl Authenticator {
    pub(crate) fn new(relying_party: &'static str, origin: &'static str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self { key, relying_party, origin, user: Value::Null, counter: 0 }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["publicKey"]["challenge"];
        let data = json!({"type": kind, "challenge": challenge, "origin": self.origin});
        serde_json::to_vec(&data).unwrap()
    }

    fn data(&mut self, flags: u8) -> Vec<u8> {
        self.counter += 1;
        let mut data = digest(&SHA256, self.relying_party.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// Answers the options of a registration.
    pub(crate) fn register(&mut self, options: &Value) -> String {
        self.user = options["publicKey"]["user"]["id"].clone();
        let mut data = self.data(VERIFIED | HAS_CREDENTIAL);
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(CREDENTIAL);
        // The COSE key: ES256 on P-256, then both coordinates.
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(x);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(y);
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        attestation.push(u8::try_from(data.len()).unwrap());
        attestation.extend(data);
        let client_data = self.client_data("webauthn.create", options);
        let response = json!({
            "attestationObject": encoded(&attestation),
            "clientDataJSON": encoded(&client_data),
        });
        credential(&response)
    }

    #[expect(clippy::disallowed_methods, reason = "a signature needs randomness of its own")]
    fn sign(&self, signed: &[u8]) -> Vec<u8> {
        self.key.sign(&SystemRandom::new(), signed).unwrap().as_ref().to_vec()
    }

    /// Answers the options of an authentication.
    pub(crate) fn authenticate(&mut self, options: &Value) -> String {
        let client_data = self.client_data("webauthn.get", options);
        let data = self.data(VERIFIED);
        let hash = digest(&SHA256, &client_data);
        let signed = [data.as_slice(), hash.as_ref()].concat();
        let signature = self.sign(&signed);
        let response = json!({
            "authenticatorData": encoded(&data),
            "clientDataJSON": encoded(&client_data),
            "signature": encoded(&signature),
            "userHandle": self.user,
        });
        credential(&response)
    }
}

fn credential(response: &Value) -> String {
    let id = encoded(CREDENTIAL);
    json!({"id": id, "rawId": id, "type": "public-key", "response": response}).to_string()
}

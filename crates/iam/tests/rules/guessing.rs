//! Guessing at passwords and codes: who is throttled, and who is never kept out.

use std::time::Duration;

use gatewright_iam::{Context, IamError, Login, Origin, SignInError, SignedIn};

use crate::installation::{ACCOUNT, DAY, INSTANT, Installation, PASSWORD};
use crate::sign_in::{is_throttled, is_wrong, secret};

#[tokio::test]
async fn a_success_clears_no_failures_elsewhere() {
    let installation = Installation::new().await;
    installation.jane().await;
    // One address that guesses at many logins, and owns one of them.
    let mut guesses = 0;
    for number in 0..60 {
        let from = installation.at("198.51.100.7");
        let answer = installation.sign_in_from(from, &format!("aa{number}-ovh"), "wrong").await;
        if is_throttled(&answer) {
            break;
        }
        guesses += 1;
        let own = installation.sign_in_from(installation.at("198.51.100.7"), ACCOUNT, PASSWORD);
        drop(own.await);
    }
    assert!(guesses < 60, "{guesses}");
    // The owner's success elsewhere does not forgive who guesses at the login.
    installation.fail_from("aa11111-ovh/jane", "192.0.2.2").await;
    installation.signed_in("aa11111-ovh/jane").await;
    let answer = installation.sign_in_from(installation.at("192.0.2.2"), "aa11111-ovh/jane", "x");
    assert!(is_throttled(&answer.await));
}

#[tokio::test]
async fn the_addresses_of_an_ipv6_network_count_as_one() {
    let installation = Installation::new().await;
    let mut refused = 0;
    for number in 1..=20 {
        let from = installation.at(&format!("2001:db8::{number}"));
        refused += usize::from(is_throttled(&installation.sign_in_from(from, ACCOUNT, "x").await));
    }
    assert_eq!(refused, 15, "five tries are free");
    let elsewhere = installation.at("2001:db8:0:1::1");
    assert!(is_wrong(&installation.sign_in_from(elsewhere, ACCOUNT, "x").await));
}

#[tokio::test]
async fn a_login_is_guarded_against_many_networks_together() {
    let installation = Installation::new().await;
    let mut guesses = 0;
    for number in 0..100 {
        let from = installation.at(&format!("198.51.100.{number}"));
        guesses += usize::from(is_wrong(&installation.sign_in_from(from, ACCOUNT, "x").await));
    }
    assert_eq!(guesses, 50);
}

#[tokio::test]
async fn a_known_device_is_not_kept_out_by_strangers() {
    let installation = Installation::new().await;
    installation.jane().await;
    let session = installation.signed_in(ACCOUNT).await;
    let device = installation.with_device(&session, "192.0.2.9").await;
    let janes = installation.signed_in("aa11111-ovh/jane").await;
    let janes = installation.with_device(&janes, "192.0.2.9").await;
    for number in 0..100 {
        let from = installation.at(&format!("198.51.100.{number}"));
        drop(installation.sign_in_from(from, ACCOUNT, "x").await);
    }
    installation.fail_from(ACCOUNT, "192.0.2.9").await;
    for origin in [installation.at("192.0.2.9"), janes.clone()] {
        let answer = installation.sign_in_from(origin, ACCOUNT, PASSWORD).await;
        assert!(is_throttled(&answer), "another's device is no excuse: {answer:?}");
    }
    let answer = installation.sign_in_from(device.clone(), ACCOUNT, PASSWORD).await;
    assert!(matches!(answer, Ok(SignedIn::Whole(_))), "{answer:?}");
    // A stolen device has few tries of its own.
    let mut tries = 0;
    while is_wrong(&installation.sign_in_from(device.clone(), ACCOUNT, "x").await) {
        tries += 1;
    }
    assert_eq!(tries, 10);
    let forged = secret(&device.device.unwrap().reveal().replace('A', "B"));
    let forged = Origin { device: Some(forged), ..installation.at("192.0.2.9") };
    assert!(is_throttled(&installation.sign_in_from(forged, ACCOUNT, PASSWORD).await));
}

#[tokio::test]
async fn a_device_is_known_by_the_credentials_that_count() {
    let installation = Installation::new().await;
    installation.jane().await;
    let (iam, login) = (&installation.iam, "aa11111-ovh/jane");
    let token = installation.signed_in(login).await;
    let (id, jane) = installation.context_in(&token).await;
    let is_known = async |device: &Origin| {
        // Strangers have used up what strangers may, so a device that is known is told apart.
        let answer = installation.sign_in_from(device.clone(), login, "x").await;
        assert!(is_wrong(&answer) || is_throttled(&answer), "{answer:?}");
        is_wrong(&answer)
    };
    let device = installation.with_device(&token, "192.0.2.9").await;
    installation.fail_from(login, "192.0.2.9").await;
    assert!(is_known(&device).await);
    // Whoever knew the password before has a device of a stranger.
    installation.pass(INSTANT);
    let jane = Context { now: installation.now(), ..jane };
    iam.change_password(&jane, (secret(PASSWORD), secret("another horse")), &id).await.unwrap();
    assert!(!is_known(&device).await);
    let device = installation.with_device(&token, "192.0.2.9").await;
    assert!(is_known(&device).await);
    // So has whoever signed in without a code, once one is asked for.
    let new = iam.new_totp(&jane).unwrap();
    let code = installation.code(new.secret.reveal());
    iam.confirm_totp(&jane, secret("another horse"), (&new.state, &code)).await.unwrap();
    assert!(!is_known(&device).await);
    let device = installation.with_device(&token, "192.0.2.9").await;
    assert!(is_known(&device).await);
    // And the earlier user of a login that was made again.
    iam.delete_user(&installation.owner(), &Login::new("jane")).await.unwrap();
    installation.pass(INSTANT);
    installation.jane().await;
    assert!(!is_known(&device).await);
}

#[tokio::test]
async fn many_devices_of_one_login_have_few_tries_together() {
    let installation = Installation::new().await;
    let mut devices = Vec::new();
    for _ in 0..20 {
        let session = installation.signed_in(ACCOUNT).await;
        devices.push(installation.with_device(&session, "192.0.2.9").await);
    }
    let mut guesses = 0;
    for device in &devices {
        while is_wrong(&installation.sign_in_from(device.clone(), ACCOUNT, "x").await) {
            guesses += 1;
        }
    }
    assert_eq!(guesses, 100);
    // Strangers are counted apart.
    assert!(is_wrong(&installation.sign_in_from(installation.at("192.0.2.8"), ACCOUNT, "x").await));
}

#[tokio::test]
async fn the_networks_of_one_site_count_together() {
    let installation = Installation::new().await;
    let mut guesses = 0;
    for number in 0..200 {
        let from = installation.at(&format!("2001:db8:1:{number:x}::1"));
        let login = format!("aa{number}-ovh");
        guesses += usize::from(is_wrong(&installation.sign_in_from(from, &login, "x").await));
    }
    assert_eq!(guesses, 100);
    let elsewhere = installation.at("2001:db8:2::1");
    assert!(is_wrong(&installation.sign_in_from(elsewhere, ACCOUNT, "x").await));
}

#[tokio::test]
async fn wrong_passwords_in_a_stolen_session_do_not_keep_its_person_out() {
    let installation = Installation::new().await;
    let owner = installation.owner();
    let at = |address: &str| Context { ip: Some(address.parse().unwrap()), ..owner.clone() };
    let prove = async |context: &Context, password: &str| {
        installation.iam.remove_totp(context, secret(password)).await
    };
    let thief = at("198.51.100.7");
    while matches!(prove(&thief, "wrong").await, Err(SignInError::Wrong)) {}
    let answer = prove(&thief, PASSWORD).await;
    assert!(matches!(answer, Err(SignInError::TooMany { .. })), "{answer:?}");
    installation.authenticator().await;
    prove(&at("192.0.2.9"), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn one_browser_knows_several_people_and_forgets_them_after_a_year() {
    let installation = Installation::new().await;
    installation.jane().await;
    let session = installation.signed_in(ACCOUNT).await;
    let device = installation.with_device(&session, "192.0.2.9").await;
    let janes = installation.signed_in("aa11111-ovh/jane").await;
    let both = installation.iam.remember_device(&janes, &device).await.unwrap();
    installation.fail_from(ACCOUNT, "192.0.2.9").await;
    installation.fail_from("aa11111-ovh/jane", "192.0.2.9").await;
    let origin = Origin { device: Some(both.clone()), ..installation.at("192.0.2.9") };
    for login in [ACCOUNT, "aa11111-ovh/jane"] {
        let answer = installation.sign_in_from(origin.clone(), login, PASSWORD).await;
        assert!(matches!(answer, Ok(SignedIn::Whole(_))), "{answer:?}");
    }
    installation.pass(400 * DAY);
    installation.fail_from(ACCOUNT, "192.0.2.9").await;
    let origin = Origin { device: Some(both), ..installation.at("192.0.2.9") };
    assert!(is_throttled(&installation.sign_in_from(origin, ACCOUNT, PASSWORD).await));
}

#[tokio::test]
async fn wrong_codes_of_others_do_not_keep_the_owner_out() {
    let installation = Installation::new().await;
    let session = installation.signed_in(ACCOUNT).await;
    let (typed, codes) = installation.authenticator().await;
    let device = installation.with_device(&session, "192.0.2.9").await;
    let pending = async || match installation.sign_in(ACCOUNT, PASSWORD).await {
        Ok(SignedIn::NeedsCode(token)) => token,
        other => panic!("{other:?}"),
    };
    let confirm = async |origin: &Origin, code: &str| {
        let origin = Origin { now: installation.now(), ..origin.clone() };
        installation.iam.confirm_sign_in(&pending().await, code, &origin).await
    };
    installation.pass(Duration::from_mins(1));
    let stranger = installation.at("198.51.100.7");
    let mut guesses = 0;
    while matches!(confirm(&stranger, "000000").await, Err(SignInError::WrongCode)) {
        guesses += 1;
    }
    assert_eq!(guesses, 5);
    // A backup code cannot be guessed, so nothing keeps it out.
    confirm(&stranger, codes[0].reveal()).await.unwrap();
    // Neither the owner's own address nor their device is used up.
    confirm(&installation.at("192.0.2.9"), &installation.code(&typed)).await.unwrap();
    for number in 0..100 {
        drop(confirm(&installation.at(&format!("198.51.100.{number}")), "000000").await);
    }
    installation.pass(Duration::from_mins(1));
    drop(confirm(&installation.at("198.51.100.200"), "000000").await);
    let code = installation.code(&typed);
    let answer = confirm(&installation.at("192.0.2.9"), &code).await;
    assert!(matches!(answer, Err(SignInError::TooMany { .. })), "{answer:?}");
    confirm(&device, &code).await.unwrap();
}

#[tokio::test]
async fn strangers_fill_a_short_queue_of_hashes_and_not_the_owners() {
    let installation = Installation::new().await;
    let session = installation.signed_in(ACCOUNT).await;
    let device = installation.with_device(&session, "192.0.2.9").await;
    let wrong = (0..200).map(|number| {
        let from = installation.at(&format!("198.51.100.{number}"));
        let login = format!("aa{number}-ovh");
        let installation = &installation;
        async move { installation.sign_in_from(from, &login, "wrong").await }
    });
    let wrong = futures_util::future::join_all(wrong);
    let (answers, owner) =
        tokio::join!(wrong, installation.sign_in_from(device, ACCOUNT, PASSWORD));
    let busy = |answer: &&Result<SignedIn, SignInError>| {
        matches!(answer, Err(SignInError::Failed(IamError::Busy { .. })))
    };
    let refused = answers.iter().filter(busy).count();
    assert!(refused > 0, "ten are hashed or wait");
    assert!(matches!(owner, Ok(SignedIn::Whole(_))), "{owner:?}");
}

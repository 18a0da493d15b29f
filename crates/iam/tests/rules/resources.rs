//! Resources, their tags, and resource groups.

use std::collections::BTreeMap;

use gatewright_iam::{
    AccountName, Context, Fault, Iam, IamError, Member, NewResource, PageRequest, Permissions,
    PolicyInput, ResourceFilter, ResourceGroupInput, ResourceId, TagFilter, TagOperator,
    resource_id, rights,
};

use crate::installation::{
    ACCOUNT, INSTANT, Installation, OTHER, REBOOT, VPS, account_urn, conflict, fault, not_found,
    page, read_only, texts,
};

fn new(urn: &str, owner: Option<&str>, tags: &[(&str, &str)]) -> NewResource {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    NewResource {
        urn: urn.to_owned(),
        display_name: None,
        owner: owner.map(AccountName::new),
        tags,
    }
}

fn tag(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[tokio::test]
async fn a_resource_is_registered_once_and_follows_from_its_urn() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let made = iam.create_resource(&owner, Ok(new(VPS, None, &[("env", "test")]))).await.unwrap();
    assert_eq!((made.id, &*made.display_name), (resource_id(VPS), "web-1"));
    assert_eq!(iam.resource(&owner, VPS).await.unwrap(), made);
    let again = iam.create_resource(&owner, Ok(new(VPS, None, &[]))).await;
    assert_eq!(conflict(again), "AlreadyExists");
    for wrong in ["web-1", "urn:v1:eu:resource:vps", "urn:v1:us:resource:vps:a"] {
        let refused = iam.create_resource(&owner, Ok(new(wrong, None, &[]))).await;
        assert_eq!(fault(refused), Fault::ResourceUrn, "{wrong}");
    }
    let others = iam.create_resource(&owner, Ok(new(REBOOT_URN, Some(OTHER), &[]))).await;
    assert_eq!(fault(others), Fault::Parameter);
    iam.delete_resource(&owner, VPS).await.unwrap();
    not_found(iam.resource(&owner, VPS).await);
}

const REBOOT_URN: &str = "urn:v1:eu:resource:vps:web-2";

#[tokio::test]
async fn the_resource_of_an_account_goes_with_the_account() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    read_only(iam.delete_resource(&owner, &account_urn()).await);
    let another = "urn:v1:eu:resource:account:cc33333-ovh";
    let made = iam.create_resource(&owner, Ok(new(another, None, &[]))).await;
    assert_eq!(fault(made), Fault::Parameter);
}

#[tokio::test]
async fn registrars_that_are_no_accounts_are_told() {
    let both = vec![AccountName::new(ACCOUNT), AccountName::new("zz9-ovh")];
    let installation = Installation::with(|settings| settings.registrars = both).await;
    let unknown = installation.iam.unknown_registrars().await.unwrap();
    assert_eq!(unknown, [AccountName::new("zz9-ovh")]);
    let unknown = Installation::new().await.iam.unknown_registrars().await.unwrap();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test]
async fn where_there_are_registrars_they_alone_register_for_any_account() {
    let installation =
        Installation::with(|settings| settings.registrars = vec![AccountName::new(OTHER)]).await;
    installation.create_account(OTHER).await.unwrap();
    let (iam, owner) = (&installation.iam, installation.owner());
    let refused = iam.create_resource(&owner, Ok(new(VPS, None, &[]))).await;
    assert!(matches!(refused, Err(IamError::Forbidden { .. })), "{refused:?}");
    let registrar = iam.as_owner(&AccountName::new(OTHER));
    let system = [("ovh:plan", "large")];
    let made = iam.create_resource(&registrar, Ok(new(VPS, Some(ACCOUNT), &system))).await;
    assert_eq!(made.unwrap().owner.as_str(), ACCOUNT);
    let nobody = iam.create_resource(&registrar, Ok(new(REBOOT_URN, Some("nobody"), &[]))).await;
    assert_eq!(fault(nobody), Fault::Parameter);
    let refused = iam.delete_resource(&owner, VPS).await;
    assert!(matches!(refused, Err(IamError::Forbidden { .. })), "{refused:?}");
    iam.delete_resource(&registrar, VPS).await.unwrap();
}

#[tokio::test]
async fn tags_of_the_server_stay_whatever_is_set() {
    let installation =
        Installation::with(|settings| settings.registrars = vec![AccountName::new(ACCOUNT)]).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let system = [("ovh:plan", "large"), ("env", "test")];
    iam.create_resource(&owner, Ok(new(VPS, None, &system))).await.unwrap();
    assert_eq!(
        fault(iam.add_tag(&owner, VPS, Ok(tag("ovh:plan", "small"))).await),
        Fault::Parameter
    );
    assert_eq!(fault(iam.remove_tag(&owner, VPS, "ovh:plan").await), Fault::Parameter);
    let set = iam.set_tags(&owner, VPS, Ok(Some(BTreeMap::new()))).await.unwrap();
    assert_eq!(set.tags, BTreeMap::from([("ovh:plan".to_owned(), "large".to_owned())]));
}

#[tokio::test]
async fn a_tag_needs_a_right_on_the_resource_too() {
    let installation = Installation::new().await;
    installation.resource(VPS, &[("env", "test")]).await;
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    let needed = |answer: Result<_, IamError>| match answer {
        Err(IamError::Forbidden { by_policy, .. }) => by_policy,
        other => panic!("{other:?}"),
    };
    let on_resource = rights::tag_add("vps");
    let refused = iam.add_tag(&caller.context, VPS, Ok(tag("env", "x"))).await.map(drop);
    assert_eq!(needed(refused), texts(&[rights::TAG_ADD, &on_resource]));
    installation.allow(&caller.urn(), &[rights::TAG_ADD], &[&account_urn()]).await;
    let refused = iam.add_tag(&caller.context, VPS, Ok(tag("env", "x"))).await.map(drop);
    assert_eq!(needed(refused), texts(&[&on_resource]));
    installation.allow(&caller.urn(), &[&on_resource], &[VPS]).await;
    let changed = iam.add_tag(&caller.context, VPS, Ok(tag("env", "x"))).await.unwrap();
    assert_eq!(changed.tags["env"], "x");
    let refused = iam.remove_tag(&caller.context, VPS, "env").await;
    assert_eq!(needed(refused), texts(&[rights::TAG_REMOVE, &rights::tag_remove("vps")]));
}

#[tokio::test]
async fn a_tag_has_letters_digits_and_some_marks() {
    let installation = Installation::new().await;
    installation.resource(VPS, &[]).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    for (key, value) in [("", "x"), ("a b", "x"), ("a", "x y"), (&*"k".repeat(129), "x")] {
        let refused = iam.add_tag(&owner, VPS, Ok(tag(key, value))).await;
        assert_eq!(fault(refused), Fault::Format, "{key}={value}");
    }
    iam.remove_tag(&owner, VPS, "missing").await.unwrap();
    not_found(iam.add_tag(&owner, REBOOT_URN, Ok(tag("env", "x"))).await);
}

#[tokio::test]
async fn a_tag_that_is_the_servers_in_another_case_is_nobodys_to_set() {
    let installation = Installation::new().await;
    installation.resource(VPS, &[]).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    for key in ["ovh:plan", "OVH:plan", "Ovh:"] {
        let tags = || BTreeMap::from([(key.to_owned(), "x".to_owned())]);
        let added = iam.add_tag(&owner, VPS, Ok(tag(key, "x"))).await;
        assert_eq!(fault(added), Fault::Parameter, "{key}");
        let set = iam.set_tags(&owner, VPS, Ok(Some(tags()))).await;
        assert_eq!(fault(set), Fault::Parameter, "{key}");
        let made = iam.create_resource(&owner, Ok(new(REBOOT_URN, None, &[(key, "x")]))).await;
        assert_eq!(fault(made), Fault::Parameter, "{key}");
    }
}

#[tokio::test]
async fn a_resource_whose_name_nobody_can_see_is_not_registered() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    for hidden in ["\u{200b}", "\u{202e}", "\u{ad}"] {
        for urn in [format!("{VPS}{hidden}"), format!("urn:v1:eu:resource:vps{hidden}:a")] {
            let made = iam.create_resource(&owner, Ok(new(&urn, None, &[]))).await;
            assert_eq!(fault(made), Fault::Format, "{urn:?}");
            let resources = vec![Member::Urn(urn)];
            let input = ResourceGroupInput { name: "g".to_owned(), resources };
            let made = iam.create_resource_group(&owner, Ok(input)).await;
            assert_eq!(fault(made), Fault::Format);
        }
        let display_name = Some(format!("web{hidden}"));
        let input = NewResource { display_name, ..new(VPS, None, &[]) };
        assert_eq!(fault(iam.create_resource(&owner, Ok(input)).await), Fault::Format);
    }
}

#[tokio::test]
async fn tags_do_not_change_by_deleting_a_resource_and_registering_it_again() {
    let installation = Installation::new().await;
    installation.resource(VPS, &[("env", "production")]).await;
    installation.resource(REBOOT_URN, &[]).await;
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    let both = [rights::RESOURCE_DELETE, rights::RESOURCE_CREATE];
    installation.allow(&caller.urn(), &both, &[&account_urn()]).await;
    installation.allow(&caller.urn(), &["vps:*"], &["urn:v1:eu:resource:vps:*"]).await;
    let deny = texts(&[&rights::tag_add("vps"), &rights::tag_remove("vps")]);
    let deny = Permissions { deny, ..Permissions::default() };
    let denied = installation.policy(&caller.urn(), deny, &["urn:v1:eu:resource:vps:*"]).await;
    let missing = |answer: Result<(), IamError>| match answer {
        Err(IamError::Forbidden { by_policy, .. }) => by_policy,
        other => panic!("{other:?}"),
    };
    let context = &caller.context;
    let gone = iam.delete_resource(context, VPS).await;
    assert_eq!(missing(gone), [rights::tag_remove("vps")]);
    assert_eq!(iam.resource(&installation.owner(), VPS).await.unwrap().tags["env"], "production");
    // Without tags, none changes.
    iam.delete_resource(context, REBOOT_URN).await.unwrap();
    let made = iam.create_resource(context, Ok(new(REBOOT_URN, None, &[("env", "x")]))).await;
    assert_eq!(missing(made.map(drop)), [rights::tag_add("vps")]);
    iam.create_resource(context, Ok(new(REBOOT_URN, None, &[]))).await.unwrap();
    iam.delete_policy(&installation.owner(), Ok(denied.rule.id)).await.unwrap();
    iam.delete_resource(context, VPS).await.unwrap();
    iam.create_resource(context, Ok(new(VPS, None, &[("env", "test")]))).await.unwrap();
}

#[tokio::test]
async fn a_wildcard_of_resource_groups_covers_those_that_the_account_made() {
    let installation = Installation::new().await;
    installation.resource(VPS, &[]).await;
    installation.resource(REBOOT_URN, &[]).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    installation.allow(&caller.urn(), &[REBOOT], &["urn:v1:eu:resourceGroup:*"]).await;
    assert!(!installation.may(&caller.context, REBOOT, VPS).await);
    assert!(iam.effective_permissions(&owner, &caller.urn()).await.unwrap().permissions.is_empty());
    let resources = vec![Member::Urn(VPS.to_owned())];
    let input = ResourceGroupInput { name: "g".to_owned(), resources };
    iam.create_resource_group(&owner, Ok(input)).await.unwrap();
    assert!(installation.may(&caller.context, REBOOT, VPS).await);
    assert!(!installation.may(&caller.context, REBOOT, REBOOT_URN).await);
    let all = iam.effective_permissions(&owner, &caller.urn()).await.unwrap().permissions;
    assert_eq!(all.iter().map(|one| &*one.resource).collect::<Vec<_>>(), [VPS]);
}

#[tokio::test]
async fn somebody_sees_the_resources_on_which_they_may_do_something() {
    let installation = Installation::new().await;
    installation.resource(VPS, &[("env", "test")]).await;
    installation.resource(REBOOT_URN, &[("env", "production")]).await;
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    let seen = async |filter: ResourceFilter| {
        let found = iam.resources(&caller.context, Ok(filter), page()).await.unwrap().items;
        found.iter().map(|one| one.urn.urn().to_owned()).collect::<Vec<_>>()
    };
    assert!(seen(ResourceFilter::default()).await.is_empty());
    not_found(iam.resource(&caller.context, VPS).await);
    installation.allow(&caller.urn(), &[REBOOT], &[VPS, REBOOT_URN]).await;
    assert_eq!(seen(ResourceFilter::default()).await, [VPS, REBOOT_URN]);
    let names = texts(&["*-2"]);
    assert_eq!(seen(ResourceFilter { names, ..ResourceFilter::default() }).await, [REBOOT_URN]);
    let is_test = TagFilter { operator: TagOperator::Eq, value: Some("test".to_owned()) };
    let tags = BTreeMap::from([("env".to_owned(), vec![is_test])]);
    assert_eq!(seen(ResourceFilter { tags, ..ResourceFilter::default() }).await, [VPS]);
}

#[tokio::test]
async fn a_resource_group_reaches_every_policy_that_names_it() {
    let installation = Installation::new().await;
    installation.resource(VPS, &[]).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let input =
        |members: Vec<Member>| Ok(ResourceGroupInput { name: "g".to_owned(), resources: members });
    let by_id = input(vec![Member::Id(resource_id(VPS))]);
    let group = iam.create_resource_group(&owner, by_id).await.unwrap();
    assert_eq!(group.resources, [VPS]);
    let urn = gatewright_iam::resource_group_urn(gatewright_iam::Region::Eu, group.id);
    installation.allow(&caller.urn(), &[REBOOT], &[&urn]).await;
    assert!(installation.may(&caller.context, REBOOT, VPS).await);
    let other = input(vec![Member::Urn(REBOOT_URN.to_owned())]);
    iam.edit_resource_group(&owner, Ok(group.id), other).await.unwrap();
    assert!(!installation.may(&caller.context, REBOOT, VPS).await);
    assert!(installation.may(&caller.context, REBOOT, REBOOT_URN).await);
    iam.delete_resource_group(&owner, Ok(group.id)).await.unwrap();
    assert!(!installation.may(&caller.context, REBOOT, REBOOT_URN).await);
}

#[tokio::test]
async fn a_resource_group_names_resources_that_can_be() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let make = async |member: Member| {
        let input = ResourceGroupInput { name: "g".to_owned(), resources: vec![member] };
        iam.create_resource_group(&owner, Ok(input)).await
    };
    assert_eq!(fault(make(Member::Id(ResourceId::default())).await), Fault::Parameter);
    assert_eq!(fault(make(Member::Urn("web-1".to_owned())).await), Fault::ResourceUrn);
    let all = iam.resource_groups(&owner, page()).await.unwrap().items;
    let (id, input) = (all[0].id, ResourceGroupInput { name: "x".to_owned(), resources: vec![] });
    read_only(iam.edit_resource_group(&owner, Ok(id), Ok(input)).await);
    read_only(iam.delete_resource_group(&owner, Ok(id)).await);
}

#[tokio::test]
async fn the_members_of_a_group_have_details_where_the_caller_has_access() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    installation.create_account(OTHER).await.unwrap();
    installation.resource(VPS, &[("env", "test")]).await;
    let theirs = "urn:v1:eu:resource:vps:theirs";
    let other = iam.as_owner(&AccountName::new(OTHER));
    iam.create_resource(&other, Ok(new(theirs, None, &[]))).await.unwrap();
    let members = [VPS, REBOOT_URN, theirs].map(|urn| Member::Urn(urn.to_owned()));
    let input = ResourceGroupInput { name: "g".to_owned(), resources: members.into() };
    let group = iam.create_resource_group(&owner, Ok(input)).await.unwrap();
    let details = iam.resource_group_details(&owner, &group).await.unwrap();
    let urns: Vec<&str> = details.iter().map(|(urn, _)| urn.urn()).collect();
    assert_eq!(urns, group.resources, "one for one, in order");
    let known: Vec<&str> = details
        .iter()
        .filter(|(_, resource)| resource.is_some())
        .map(|(urn, _)| urn.urn())
        .collect();
    assert_eq!(known, [VPS], "nothing of one that is not registered, or of another account");
}

#[tokio::test]
async fn several_accounts_share_registration_unless_there_are_registrars() {
    for (registrars, shares) in [(vec![], true), (vec![AccountName::new(ACCOUNT)], false)] {
        let installation = Installation::with(|settings| settings.registrars = registrars).await;
        assert!(!installation.iam.shares_registration().await.unwrap(), "it is one account");
        installation.create_account(OTHER).await.unwrap();
        assert_eq!(installation.iam.shares_registration().await.unwrap(), shares);
    }
}

/// Lists all resources that a caller may see; returns those of each page.
async fn pages(iam: &Iam, caller: &Context) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = PageRequest::new(None, cursor.as_deref(), "resources");
        let page = iam.resources(caller, Ok(ResourceFilter::default()), page).await.unwrap();
        pages.push(page.items.iter().map(|one| one.urn.urn().to_owned()).collect());
        cursor = page.next;
        if cursor.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn what_others_hold_and_share_never_slows_or_pushes_off_what_is_ones_own() {
    // A page looks at a hundred resources of others, and decides on few.
    let installation = Installation::with(|settings| settings.limits.request_cost = 1).await;
    installation.create_account(OTHER).await.unwrap();
    let (iam, owner) = (&installation.iam, installation.owner());
    let other = iam.as_owner(&AccountName::new(OTHER));
    let theirs = |number: usize| format!("urn:v1:eu:resource:vps:theirs-{number:03}");
    for number in 0..250 {
        installation.pass(INSTANT);
        let other = Context { now: installation.now(), ..other.clone() };
        iam.create_resource(&other, Ok(new(&theirs(number), None, &[]))).await.unwrap();
    }
    installation.pass(INSTANT);
    installation.resource(VPS, &[]).await;
    let own = [account_urn(), VPS.to_owned()];
    assert_eq!(pages(iam, &owner).await, std::slice::from_ref(&own));
    // A policy that names somebody else of the account leads to no look at what they hold.
    let share = async |identity: &str, resource: &str| {
        let input = PolicyInput {
            name: format!("share-{}", iam.new_nonce().unwrap()),
            identities: texts(&[identity]),
            resources: texts(&[resource]),
            permissions: Permissions { allow: texts(&["vps:*"]), ..Permissions::default() },
            ..PolicyInput::default()
        };
        iam.create_policy(&other, Ok(input)).await.unwrap()
    };
    let stranger = installation.stranger().await;
    share(&stranger.urn(), "urn:v1:eu:resource:vps:*").await;
    assert_eq!(pages(iam, &owner).await, std::slice::from_ref(&own));
    // Nobody is shown less, or more, for it.
    let account = format!("urn:v1:eu:identity:account:{ACCOUNT}");
    share(&account, &theirs(249)).await;
    let found = pages(iam, &owner).await;
    assert_eq!(found[0][..2], own);
    assert_eq!(found.len(), 3, "of a hundred each");
    assert_eq!(found.concat()[2..], [theirs(249)]);
    share(&account, "urn:v1:eu:resource:vps:*").await;
    let found = pages(iam, &owner).await;
    assert_eq!(found[0][..2], own);
    assert!(found.len() > 3, "decisions cost as well");
    let all: Vec<String> = own.into_iter().chain((0..250).map(theirs)).collect();
    assert_eq!(found.concat(), all);
    let of_stranger: Vec<String> = (0..250).map(theirs).collect();
    assert_eq!(pages(iam, &stranger.context).await.concat(), of_stranger);
}

#[tokio::test]
async fn a_caller_who_may_see_few_of_many_finds_each_once_over_pages_of_bounded_work() {
    // A page decides on one resource of a caller who is not the root.
    let installation = Installation::with(|settings| settings.limits.request_cost = 1).await;
    let name = |number: usize| format!("urn:v1:eu:resource:vps:own-{number:02}");
    for number in 0..20 {
        // Some are created at one instant.
        if number % 4 != 0 {
            installation.pass(INSTANT);
        }
        installation.resource(&name(number), &[]).await;
    }
    let (iam, rightless) = (&installation.iam, installation.stranger().await);
    let found = pages(iam, &rightless.context).await;
    assert!(found.len() > 10 && found.concat().is_empty(), "{found:?}");
    let few = [name(3), name(4), name(19)];
    let caller = installation.stranger().await;
    let resources: Vec<&str> = few.iter().map(String::as_str).collect();
    installation.allow(&caller.urn(), &[REBOOT], &resources).await;
    let found = pages(iam, &caller.context).await;
    assert!(found.len() > 10, "{found:?}");
    assert_eq!(found.concat(), few);
    assert!(pages(iam, &rightless.context).await.concat().is_empty());
    let plenty = installation.elsewhere_with(|settings| settings.limits.request_cost = 1_000_000);
    let plenty = plenty.await;
    assert_eq!(pages(&plenty, &caller.context).await, [few]);
}

//! Policies in the panel, in a real browser.

use serde_json::json;

use crate::browser::Browser;
use crate::panel_pages::server;
use crate::server::{ACCOUNT, Caller};

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_made_with_the_form_and_read_from_json() {
    let (_database, server) = server();
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    let browser = Browser::open(&server.url).await;
    browser.sign_in(ACCOUNT, &server.password).await;
    browser.choose("Policies").await;
    browser.says("One policy").await;
    browser.is_sound("policies").await;
    browser.choose("Create a policy").await;
    browser.fill("#name", "restart the web").await;
    browser.fill("#find-identity", "account: X").await;
    browser.choose("Find identities").await;
    browser.says("One identity").await;
    browser.press("input[name=pick-identity]").await;
    browser.choose("Add the ticked identities").await;
    browser.holds("#identities", &caller.urn()).await;
    let label = "//option[normalize-space()='vps']";
    browser.driver.find(thirtyfour::By::XPath(label)).await.unwrap().click().await.unwrap();
    browser.choose("Add all of this type").await;
    browser.holds("#resources", "urn:v1:eu:resource:vps:*").await;
    browser.fill("#find", "vps reboot").await;
    browser.choose("Find actions").await;
    browser.press("input[value='vps:apiovh:reboot']").await;
    browser.is_sound("policy-create").await;
    browser.choose("Allow the ticked actions").await;
    browser.holds("#allow", "vps:apiovh:reboot").await;
    assert!(browser.value("#json").await.contains("\"action\": \"vps:apiovh:reboot\""));
    browser.press("#actions-vps summary").await;
    browser.choose("Allow all of READ").await;
    browser.press("input[id='act-vps:apiovh:ips/get']").await;
    browser.is_sound("policy-actions").await;
    browser.choose("Allow the ticked actions").await;
    let allowed = browser.value_that("#allow", |held| held.contains("vps:apiovh:get\n")).await;
    assert!(!allowed.contains("vps:apiovh:ips/get\n"), "{allowed}");
    browser.fill("#allow", "vps:apiovh:reboot").await;

    adds_conditions_and_saves(&browser, &caller).await;
    changes_it_as_json(&browser, &caller).await;

    browser.choose("Delete").await;
    browser.says("This identity loses").await;
    browser.is_sound("policy-delete").await;
    browser.choose("Delete the policy").await;
    browser.says("The policy is deleted.").await;
    browser.choose("Policies of the server").await;
    browser.choose("ovh-default").await;
    browser.says("It belongs to the server.").await;
    browser.is_sound("policy-of-server").await;
    browser.close().await;
}

async fn adds_conditions_and_saves(browser: &Browser, caller: &Caller) {
    browser.choose("Add a condition").await;
    browser.fill("input[name='c-key-0']", "resource.Name").await;
    browser.fill("input[name='c-val-0']", "any").await;
    browser.choose("Put it into a group").await;
    browser.find("input[name='c-key-0-0'][value='resource.Name']").await;
    browser.choose("Add a group of conditions").await;
    browser.is_sound("policy-conditions").await;
    browser.press("button[value='tree remove 0-1']").await;
    assert!(browser.value("#json").await.contains("\"resource.Name\": \"any\""));
    browser.press("button.pf-m-primary[value=save]").await;
    browser.says("may hold letters").await;
    browser.holds("#allow", "vps:apiovh:reboot").await;
    browser.fill("#name", "restart-the-web").await;
    browser.press("details.gw-try summary").await;
    browser.fill("#try-identity", &caller.urn()).await;
    browser.fill("#try-action", "vps:apiovh:reboot").await;
    browser.fill("#try-resource", "urn:v1:eu:resource:vps:any").await;
    browser.press("button[value=try]").await;
    browser.says("restart-the-web allows the action.").await;
    browser.holds("#try-action", "vps:apiovh:reboot").await;
    browser.is_sound("policy-try").await;
    assert!(!caller.may("vps:apiovh:reboot", "urn:v1:eu:resource:vps:any").await);
    browser.press("button.pf-m-primary[value=save]").await;
    browser.says("Gains one action").await;
    browser.is_sound("policy-changes").await;
    assert!(!caller.may("vps:apiovh:reboot", "urn:v1:eu:resource:vps:any").await);
    browser.press("button.pf-m-primary[value=save]").await;
    browser.says("The policy is created and in force.").await;
    let (vps, reboot) = ("urn:v1:eu:resource:vps:any", "vps:apiovh:reboot");
    assert!(caller.may(reboot, vps).await);
    browser.is_sound("policy").await;
}

async fn changes_it_as_json(browser: &Browser, caller: &Caller) {
    let (vps, reboot) = ("urn:v1:eu:resource:vps:any", "vps:apiovh:reboot");
    let json = browser
        .value("#json")
        .await
        .replace("\"except\": []", "\"except\": [\"vps:apiovh:reboot\"]");
    let write = "document.getElementById('json').value = arguments[0]";
    browser.driver.execute(write, vec![json!(json)]).await.unwrap();
    browser.choose("Read into the form").await;
    browser.says("Except").await;
    browser.holds("#except", reboot).await;
    assert!(caller.may(reboot, vps).await, "not before it is saved");
    browser.press("button.pf-m-primary[value=save]").await;
    browser.says("Loses one action").await;
    assert!(caller.may(reboot, vps).await, "not before it is confirmed");
    browser.press("button.pf-m-primary[value=save]").await;
    browser.says("The changes are saved.").await;
    assert!(!caller.may(reboot, vps).await);
    let write = "document.getElementById('json').value = '{'";
    browser.driver.execute(write, vec![]).await.unwrap();
    browser.choose("Read into the form").await;
    browser.says("EOF while parsing").await;
    browser.holds("#except", reboot).await;
}

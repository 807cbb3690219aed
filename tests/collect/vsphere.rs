//! A vCenter that misbehaves: pages that break off, faults, and nothing but SOAP. The simulator is asked in tests/vsphere.

use std::process::{Command, Output};

use carafe_model::estate::Estate;

use crate::web::{Says, Web};

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
}

fn fault(kind: &str, said: &str) -> Says {
    let body = envelope(&format!(
        "<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{said}</faultstring><detail><{kind}Fault \
         xsi:type=\"{kind}\"/></detail></soapenv:Fault>"
    ));
    Says { body, ..Says::status(500) }
}

fn machine(number: usize) -> String {
    let property =
        |name: &str, value: &str| format!("<propSet><name>{name}</name><val>{value}</val></propSet>");
    format!(
        "<objects><obj type=\"VirtualMachine\">vm-{number}</obj>{}{}{}</objects>",
        property("name", &format!("m{number}")),
        property("config.hardware.numCPU", "2"),
        property("config.hardware.memoryMB", "2048"),
    )
}

/// Answers by the method that is called and how often it was called before.
fn vcenter(refuses: bool) -> Web {
    Web::start(move |asked| {
        let body = &asked.body;
        if asked.path != "/sdk" {
            return Says::status(404);
        }
        let has = |method: &str| body.contains(&format!("<{method} "));
        if has("RetrieveServiceContent") {
            return Says::ok(envelope(
                "<RetrieveServiceContentResponse><returnval><rootFolder>group-d1</rootFolder><propertyCollector>pc\
                 </propertyCollector><viewManager>vm</viewManager><sessionManager>sm</sessionManager><about>\
                 <instanceUuid>c-1</instanceUuid></about></returnval></RetrieveServiceContentResponse>",
            ));
        }
        if has("Login") {
            return match refuses {
                true => fault("InvalidLogin", "Cannot complete login, hunter2 is wrong"),
                false => Says {
                    headers: vec![("Set-Cookie", "vmware_soap_session=\"s1\"; Path=/; HttpOnly".to_owned())],
                    ..Says::ok(envelope("<LoginResponse/>"))
                },
            };
        }
        if asked.headers.get("cookie").map(String::as_str) != Some("vmware_soap_session=\"s1\"") {
            return fault("NotAuthenticated", "The session is not authenticated.");
        }
        if has("CreateContainerView") {
            let view = if body.contains("<type>VirtualMachine<") { "machines" } else { "others" };
            return Says::ok(envelope(&format!("<R><returnval>{view}</returnval></R>")));
        }
        if has("RetrievePropertiesEx") && body.contains(">machines<") {
            let page: String = (0..100).map(machine).collect();
            return Says::ok(envelope(&format!("<R><returnval><token>p2</token>{page}</returnval></R>")));
        }
        if has("ContinueRetrievePropertiesEx") && body.contains("p2") {
            let page: String = (100..200).map(machine).collect();
            return Says::ok(envelope(&format!("<R><returnval><token>p3</token>{page}</returnval></R>")));
        }
        if has("ContinueRetrievePropertiesEx") {
            return fault("InvalidArgument", "A specified parameter was not correct.");
        }
        Says::ok(envelope("<R><returnval/></R>"))
    })
}

fn collect(web: &Web, password: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(["inventory", "collect", "vsphere", &web.url, "--user", "reader", "--history", "none"])
        .env("VCENTER_PASSWORD", password)
        .output()
        .expect("carafe can be started")
}

#[test]
fn pages_that_came_are_kept_when_the_next_one_fails() {
    let web = vcenter(false);
    let output = collect(&web, "hunter2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let estate: Estate = serde_json::from_slice(&output.stdout).expect("an estate");
    assert_eq!(estate.hosts.len(), 200);
    assert!(
        said.contains("VirtualMachine after the first 200") && said.contains("parameter was not correct"),
        "{said}"
    );
    assert_eq!(estate.hosts[0].machine_id.as_deref(), Some("c-1/vm-0"));
}

#[test]
fn a_wrong_password_is_tried_once_and_not_told() {
    let web = vcenter(true);
    let output = collect(&web, "hunter2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Cannot complete login") && !said.contains("hunter2"), "{said}");
    assert_eq!(web.asked().len(), 2, "the service content, and one login");
    assert!(output.stdout.is_empty());
}

//! Who asks: from the settings of a connection.

use reqwest::Url;

use super::keystone::Login;
use crate::drivers::connections::Settings;
use crate::drivers::rest::base_url;
use crate::drivers::{DriverError, ErrorKind};

/// What a connection says about the way in.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) auth_url: Url,
    pub(super) login: Login,
    pub(super) region_name: Option<String>,
    pub(super) interface: Option<String>,
}

/// Reads the settings.
///
/// # Errors
/// [`ErrorKind::Invalid`] with what is missing or at odds.
pub(super) fn read(settings: &Settings) -> Result<Entry, DriverError> {
    let text = |name: &str| settings.text(name).map(str::to_owned);
    let needed = |name: &str| {
        text(name).ok_or_else(|| ErrorKind::Invalid.because(format!("the setting \"{name}\" is missing")))
    };
    let secret = |name: &str| {
        let missing = || ErrorKind::Invalid.because(format!("the setting \"{name}\" is missing"));
        settings.secret(name).cloned().ok_or_else(missing)
    };
    let auth_url = base_url("auth_url", &needed("auth_url")?)?;
    let login = match text("application_credential_id") {
        Some(id) => Login::Application { id, secret: secret("application_credential_secret")? },
        None => {
            let user_domain = text("user_domain").unwrap_or_else(|| "Default".to_owned());
            let project_domain = text("project_domain").unwrap_or_else(|| user_domain.clone());
            Login::Password {
                user: needed("username")?,
                user_domain,
                password: secret("password")?,
                project: needed("project")?,
                project_domain,
            }
        }
    };
    Ok(Entry { auth_url, login, region_name: text("region_name"), interface: text("interface") })
}

//! Who asks: from the settings of a connection, or from a `clouds.yaml` that they name.

use std::path::Path;

use reqwest::Url;

use super::keystone::{Domain, Login, Project};
use crate::drivers::connections::Settings;
use crate::drivers::rest::base_url;
use crate::drivers::secret::Secret;
use crate::drivers::{DriverError, ErrorKind};
use crate::yaml::Map;

/// What a connection says about the way in.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) auth_url: Url,
    pub(super) login: Login,
    pub(super) region_name: Option<String>,
    pub(super) interface: Option<String>,
}

fn invalid(what: impl Into<String>) -> DriverError {
    ErrorKind::Invalid.because(what)
}

/// Reads the settings.
///
/// # Errors
/// [`ErrorKind::Invalid`] with what is missing or at odds.
pub(super) fn read(settings: &Settings) -> Result<Entry, DriverError> {
    let text = |name: &str| settings.text(name).map(str::to_owned);
    let entry = match settings.file("clouds_file") {
        Some(path) => {
            for beside in ["auth_url", "username", "project", "application_credential_id"] {
                if settings.text(beside).is_some() {
                    let what =
                        format!("the settings \"clouds_file\" and \"{beside}\" both say how to log in");
                    return Err(invalid(what));
                }
            }
            let secure = path.with_file_name("secure.yaml");
            let secure = if secure.exists() { file(&secure)? } else { Map::default() };
            of_clouds(file(path)?.with(secure), settings.text("cloud"))
                .map_err(|why| invalid(format!("{}: {why}", path.display())))?
        }
        None => of_settings(settings)?,
    };
    Ok(Entry {
        region_name: text("region_name").or(entry.region_name),
        interface: text("interface").or(entry.interface),
        ..entry
    })
}

fn of_settings(settings: &Settings) -> Result<Entry, DriverError> {
    let text = |name: &str| settings.text(name).map(str::to_owned);
    let needed = |name: &str| text(name).ok_or_else(|| invalid(format!("the setting \"{name}\" is missing")));
    let secret = |name: &str| {
        settings.secret(name).cloned().ok_or_else(|| invalid(format!("the setting \"{name}\" is missing")))
    };
    let auth_url = base_url("auth_url", &needed("auth_url")?)?;
    let login = match text("application_credential_id") {
        Some(id) => Login::Application { id, secret: secret("application_credential_secret")? },
        None => {
            let user_domain = text("user_domain").unwrap_or_else(|| "Default".to_owned());
            let project_domain = text("project_domain").unwrap_or_else(|| user_domain.clone());
            Login::Password {
                user: needed("username")?,
                user_domain: Domain::Name(user_domain),
                password: secret("password")?,
                project: Project::Name(needed("project")?, Domain::Name(project_domain)),
            }
        }
    };
    Ok(Entry { auth_url, login, region_name: None, interface: None })
}

fn file(path: &Path) -> Result<Map, DriverError> {
    let refused = |why: String| invalid(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    Map::parse(&text).map_err(refused)
}

/// A cloud of a `clouds.yaml`, the only one without a name.
fn of_clouds(file: Map, name: Option<&str>) -> Result<Entry, String> {
    let clouds = file.map("clouds");
    let names = clouds.keys();
    let name = match (name, names.as_slice()) {
        (Some(name), _) if names.contains(&name) => name,
        (Some(name), _) => return Err(format!("there is no cloud \"{name}\", only: {}", names.join(", "))),
        (None, [only]) => only,
        (None, _) => {
            return Err(format!("name one of its clouds in the setting \"cloud\": {}", names.join(", ")));
        }
    };
    let cloud = clouds.map(name);
    let auth = cloud.map("auth");
    if let Some(path) = cloud.text("cacert") {
        return Err(format!(
            "cloud \"{name}\" names certificates of its own (cacert {path}); have the operating system trust them, and \
             take the line out"
        ));
    }
    if cloud.text("verify").is_some_and(|flag| ["false", "no", "off"].contains(&flag.to_lowercase().as_str()))
    {
        return Err(format!(
            "cloud \"{name}\" says verify: false, and no unproven certificate is taken here"
        ));
    }
    let text = |key: &str| auth.text(key).or_else(|| cloud.text(key)).map(str::to_owned);
    let needed = |key: &str| text(key).ok_or_else(|| format!("cloud \"{name}\" has no auth.{key}"));
    let domain = |what: &str| {
        let named = text(&format!("{what}_domain_name")).or_else(|| text("domain_name")).map(Domain::Name);
        let by_id = text(&format!("{what}_domain_id")).or_else(|| text("domain_id")).map(Domain::Id);
        named.or(by_id).unwrap_or_else(|| Domain::Name("Default".to_owned()))
    };
    let login = match text("application_credential_id") {
        Some(id) => Login::Application { id, secret: Secret::new(needed("application_credential_secret")?) },
        None => Login::Password {
            user: needed("username")?,
            user_domain: domain("user"),
            password: Secret::new(needed("password")?),
            project: match text("project_id").or_else(|| text("tenant_id")) {
                Some(id) => Project::Id(id),
                None => Project::Name(needed("project_name")?, domain("project")),
            },
        },
    };
    let auth_url = base_url("auth_url", &needed("auth_url")?).map_err(|error| error.message)?;
    let interface = text("interface").map(|interface| interface.trim_end_matches("URL").to_owned());
    Ok(Entry { auth_url, login, region_name: text("region_name"), interface })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOUDS: &str = "
clouds:
  lab:
    auth:
      auth_url: https://lab.example:5000/v3
      username: \"ann\"
      project_name: erp   # a remark
      user_domain_id: default
    region_name: RegionTwo
    interface: internalURL
    regions: [a, b]
  robot:
    auth: {auth_url: https://lab.example:5000, application_credential_id: 0123, application_credential_secret: 0777}
";
    const SECURE: &str = "clouds: {lab: {auth: {password: 0012}}}";

    fn entry(name: Option<&str>, secure: &str) -> Result<Entry, String> {
        let file = Map::parse(CLOUDS)?.with(Map::parse(secure)?);
        of_clouds(file, name)
    }

    #[test]
    fn a_cloud_is_read_with_its_secrets_from_beside() {
        let lab = entry(Some("lab"), SECURE).expect("whole");
        assert_eq!(lab.region_name.as_deref(), Some("RegionTwo"));
        assert_eq!(lab.interface.as_deref(), Some("internal"));
        let Login::Password { user, user_domain, password, project } = lab.login else {
            panic!("a user with a password")
        };
        assert_eq!((user.as_str(), user_domain), ("ann", Domain::Id("default".into())));
        assert_eq!(project, Project::Name("erp".into(), Domain::Name("Default".into())));
        assert_eq!(password.expose(), "0012", "a password of digits is a text");
        let Login::Application { id, secret } = entry(Some("robot"), "").expect("whole").login else {
            panic!("an application credential")
        };
        assert_eq!((id.as_str(), secret.expose()), ("0123", "0777"));
    }

    #[test]
    fn what_is_missing_is_named_and_no_secret_is_told() {
        for (name, secure, part) in [
            (Some("lab"), "", "has no auth.password"),
            (None, SECURE, "name one of its clouds in the setting \"cloud\": lab, robot"),
            (Some("prod"), SECURE, "there is no cloud \"prod\", only: lab, robot"),
            (Some("lab"), "clouds: {lab: {verify: false}}", "verify: false"),
            (Some("lab"), "clouds: {lab: {cacert: /ca.pem}}", "cacert /ca.pem"),
            (Some("lab"), "clouds: {lab: {auth: {password: [hunter2}}}", "no YAML in line 1"),
        ] {
            let why = entry(name, secure).expect_err("something is missing");
            assert!(why.contains(part) && !why.contains("hunter2"), "{why}");
        }
    }
}

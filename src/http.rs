//! The one place where a web client is made, so that all of them keep to the same rules.

use std::time::Duration;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// A client that speaks TLS with the certificates the operating system trusts, follows no redirection (a header that
/// holds a secret must not go where nobody sent it), and names itself.
///
/// # Errors
/// If the operating system's certificates cannot be read, in words for people.
pub fn client() -> Result<reqwest::Client, String> {
    client_with(&Tls::default())
}

/// How TLS differs from what the operating system trusts.
#[derive(Default)]
pub struct Tls {
    /// Certificates of authorities in PEM that are trusted instead of the operating system's.
    pub authorities: Option<Vec<u8>>,
    /// The client's own certificate with its private key, in PEM.
    pub identity: Option<Vec<u8>>,
    /// Take any certificate, because the user's own configuration of that server says so.
    pub unproven: bool,
}

/// The same client with other trust.
///
/// # Errors
/// If certificates or keys cannot be read, in words for people.
pub fn client_with(tls: &Tls) -> Result<reqwest::Client, String> {
    // Another client may have been made before; then the same provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut building = reqwest::Client::builder()
        .user_agent(concat!("carafe/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT);
    if let Some(pem) = &tls.authorities {
        let certificates = reqwest::Certificate::from_pem_bundle(pem)
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or("the certificates of its authority are not in PEM")?;
        building = building.tls_certs_only(certificates);
    }
    if let Some(pem) = &tls.identity {
        let identity = reqwest::Identity::from_pem(pem)
            .map_err(|_| "the client's certificate and key cannot be read as PEM")?;
        building = building.identity(identity);
    }
    building.tls_danger_accept_invalid_certs(tls.unproven).build().map_err(|error| match &tls.identity {
        Some(_) => format!("the client's certificate cannot be used: {}", words(&error)),
        None => words(&error),
    })
}

/// An error of a client with its causes, without the address: that one may hold a secret.
pub fn words(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = source {
        words.push(cause.to_string());
        source = cause.source();
    }
    match words.is_empty() {
        true if error.is_timeout() => "it took too long".to_owned(),
        true => "the request failed".to_owned(),
        false => words.join(": "),
    }
}

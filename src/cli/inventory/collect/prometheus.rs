//! `carafe inventory collect prometheus`.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use carafe_inventory::usage::{Metrics, apply};
use carafe_model::document::Document;
use carafe_model::finding::Severity;
use serde_json::json;

use super::{duration, secret};
use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::Format;
use crate::cli::outputs;
use crate::cli::progress::Spinner;
use crate::collect::prometheus::{self, Login, Request};
use crate::drivers::rest::base_url;
use crate::drivers::secret::SecretRef;
use crate::error::{Error, Exit, plural};
use crate::files;
use crate::http::Tls;
use crate::inputs;
use crate::settings;

/// Collect measured use from a Prometheus server
///
/// Asks for the metrics of node_exporter in pieces that the server can answer, and adds the use of processors, memory and
/// network to the hosts of an estate. A host is found by what the labels nodename, instance or host call it: a name or an
/// address, with or without a port.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory collect prometheus http://prometheus.example:9090 --estate estate.json -o estate.json
  carafe inventory collect prometheus https://metrics.example/prometheus --secret env:METRICS_TOKEN \\
    --for 720h --estate estate.json -o estate.json")]
pub(in crate::cli) struct Prometheus {
    /// Address of the server
    #[arg(value_name = "URL")]
    url: String,
    /// The estate to add to
    #[arg(long, value_name = "ESTATE")]
    estate: PathBuf,
    /// How far back to look
    #[arg(long = "for", value_name = "TIME", value_parser = duration, default_value = "168h")]
    period: Duration,
    /// Time between two points; of each ten minutes the peak counts
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5m")]
    every: Duration,
    /// Where the bearer token or, with --user, the password is kept: env:NAME, file:PATH or cmd:PROGRAM ARGUMENT…
    #[arg(long, value_name = "WHERE", value_parser = secret)]
    secret: Option<SecretRef>,
    /// Who asks, where the server wants a user and a password
    #[arg(long, value_name = "NAME", requires = "secret")]
    user: Option<String>,
    /// Trust the authorities in this PEM file instead of those of the operating system
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "120s")]
    timeout: Duration,
    /// Write the estate to this file; to standard output when absent or -
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to print what was collected; json needs an output file beside it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

impl Prometheus {
    fn request(&self, context: &Context) -> Result<Request, Error> {
        let url = base_url("the address", &self.url).map_err(|error| {
            Error::usage(error.message, "write an address such as http://prometheus.example:9090")
        })?;
        let fetched = self.secret.as_ref().map(|secret| secret.fetch(&settings::variable)).transpose();
        let fetched = fetched.map_err(|why| {
            Error::failed(format!("there is no credential: {why}"), "say with --secret where it is kept")
        })?;
        let login = match (&self.user, fetched) {
            (Some(user), Some(password)) => Login::Basic(user.clone(), password),
            (None, Some(token)) => Login::Bearer(token),
            (Some(_) | None, None) => Login::None,
        };
        let authorities = match &self.ca {
            Some(path) => Some(files::read_text(path, context.limit)?.into_bytes()),
            None => None,
        };
        Ok(Request {
            url,
            login,
            tls: Tls { authorities, ..Tls::default() },
            period: self.period.as_secs(),
            step: self.every.as_secs(),
            timeout: self.timeout,
        })
    }
}

pub(super) fn run(args: &Prometheus, context: &Context) -> Result<Exit, Error> {
    let to_stdout = args.output.as_deref().is_none_or(files::is_standard_stream);
    if to_stdout && args.format == Format::Json {
        return Err(Error::usage(
            "the estate and the findings cannot both go to standard output",
            "write the estate to a file with -o estate.json",
        ));
    }
    // The estate may be written over: it is read before.
    outputs::Paths::default().reads(&args.ca).writes(&args.output).apart()?;
    let (estate, mut found) = inputs::estate(&args.estate, context.limit)?;
    // What is doubtful in the estate itself was told when it was made.
    found.retain(|finding| finding.severity == Severity::Error);
    let mut estate = inputs::usable(estate)?;
    let request = args.request(context)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut metrics = Metrics::new(None);
    let turning = Spinner::start(&context.out, "asking");
    let mut read = Vec::new();
    let asked = context.wait(prometheus::collect(&request, now, |answer| {
        metrics.read(answer, Some("prometheus"), &mut read);
    }));
    drop(turning);
    found.extend(asked.map_err(|refused| Error::failed(refused.what, refused.help))?);
    found.append(&mut read);
    let summary = apply(&mut estate, metrics, &mut found);
    findings::judge(context, args.format, args.fail_on, &found)?;
    let output = args.output.as_deref().unwrap_or(Path::new(files::STANDARD_STREAM));
    context.out.document(output, estate.to_json().as_bytes())?;
    let counts = format!("measured use of {}", plural(summary.hosts, "host", "hosts"));
    match args.format {
        Format::Text if to_stdout => context.out.say(&counts),
        Format::Text => context.out.data(&format!("wrote {}: {counts}\n", output.display()))?,
        Format::Json => {
            let rest = json!({ "written": output, "hosts_measured": summary.hosts });
            context.out.json(&findings::to_json(&found, rest))?;
        }
    }
    Ok(Exit::Done)
}

//! Use from a Prometheus server: the metrics of node_exporter over a range of time, in pieces that the server can answer
//! (<https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries>).

use std::time::Duration;

use carafe_inventory::InputFile;
use carafe_model::finding::{Finding, Place};
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, Url};
use serde_json::Value;

use super::Refused;
use super::asking::ask;
use crate::drivers::rest::{Request as Question, Rest};
use crate::drivers::secret::Secret;
use crate::drivers::{DriverError, ErrorKind};
use crate::http::Tls;

/// Steps of one piece; a server answers with at most 11,000 points of a series.
const STEPS: u64 = 1_000;
/// The fewest steps of a piece that a server may be too small for.
const FEWEST_STEPS: u64 = 10;

/// What is asked for. The processors of a host are summed by the server: their counters start anew together.
const QUERIES: [(&str, &str); 3] = [
    (
        "processor",
        "label_replace(sum by (instance, nodename, host, mode) (node_cpu_seconds_total), \"__name__\", \
         \"node_cpu_seconds_total\", \"\", \"\")",
    ),
    ("memory", "{__name__=~\"node_memory_MemTotal_bytes|node_memory_MemAvailable_bytes\"}"),
    (
        "network",
        "{__name__=~\"node_network_(receive|transmit)_bytes_total\",device!~\"lo|veth.*|docker.*|br-.*|virbr.*|cni.*|cali.*|tap.*\"}",
    ),
];

/// How a server lets its users in.
#[derive(Clone, Debug)]
pub enum Login {
    /// It lets everyone in.
    None,
    /// A token, sent as a bearer.
    Bearer(Secret),
    /// User and password.
    Basic(String, Secret),
}

/// What to ask.
pub struct Request {
    /// Address of the server, with a slash at its end.
    pub url: Url,
    /// Who asks.
    pub login: Login,
    /// Whom to trust.
    pub tls: Tls,
    /// How far back to look, in seconds.
    pub period: u64,
    /// Seconds between two points.
    pub step: u64,
    /// How long one answer may take.
    pub timeout: Duration,
}

/// Asks piece by piece; `take` is given each answer and keeps what it needs, so that memory holds one at a time. `now` is in
/// seconds since 1970.
///
/// # Errors
/// When not one piece could be had.
pub async fn collect(
    request: &Request,
    now: u64,
    mut take: impl FnMut(&InputFile<'_>),
) -> Result<Vec<Finding>, Refused> {
    let server = Server::new(request).map_err(|error| Refused::because(error.message, HELP))?;
    // Points on whole steps, so that the next collection asks for the same ones.
    let end = now / request.step * request.step;
    let start = end.saturating_sub(request.period);
    let mut findings = Vec::new();
    let mut had = 0;
    let mut last = None;
    for (name, query) in QUERIES {
        match server.range(name, query, start, end, &mut take).await {
            Ok(pieces) => had += pieces,
            Err((pieces, error)) => {
                had += pieces;
                findings.push(
                    Finding::warning(
                        "COL-1010",
                        format!("use of the {name} could not be collected: {error}"),
                    )
                    .at(Place::file(format!("prometheus {}", server.host)))
                    .help("the rest is kept; for that time it counts as not measured"),
                );
                // A server that lets nobody in is not asked for the rest.
                if pieces == 0 && error.kind == ErrorKind::Denied {
                    return Err(Refused::because(
                        format!("{} could not be asked: {error}", server.host),
                        HELP,
                    ));
                }
                last = Some(error);
            }
        }
    }
    match last {
        Some(error) if had == 0 => {
            Err(Refused::because(format!("{} could not be asked: {error}", server.host), HELP))
        }
        Some(_) | None => Ok(findings),
    }
}

const HELP: &str = "see that the address leads to Prometheus, and that it lets you in";

struct Server<'a> {
    rest: Rest,
    request: &'a Request,
    host: String,
}

impl<'a> Server<'a> {
    fn new(request: &'a Request) -> Result<Server<'a>, DriverError> {
        let secrets = match &request.login {
            Login::None => Vec::new(),
            Login::Bearer(secret) | Login::Basic(_, secret) => vec![secret.clone()],
        };
        let host = request.url.host_str().unwrap_or_default().to_owned();
        Ok(Server { rest: Rest::with_tls(&request.tls, secrets)?, request, host })
    }

    /// Asks a query over a range. A piece that is too large for the server is asked in halves. How many pieces came is told
    /// also when one failed.
    async fn range(
        &self,
        name: &str,
        query: &str,
        start: u64,
        end: u64,
        take: &mut impl FnMut(&InputFile<'_>),
    ) -> Result<usize, (usize, DriverError)> {
        let step = self.request.step;
        let mut steps = STEPS;
        let mut at = start;
        let mut pieces = 0;
        while at < end || pieces == 0 {
            // Each piece begins with the last point of the one before, from which its first increase is counted.
            let until = at.saturating_add(steps * step).min(end);
            match self.piece(query, at, until).await {
                Ok(answer) => {
                    let label = format!("prometheus {} {name} {at}", self.host);
                    take(&InputFile { name: &label, bytes: &answer });
                    pieces += 1;
                    at = until;
                    if at >= end {
                        break;
                    }
                }
                Err(error) if is_too_much(&error) && steps > FEWEST_STEPS => steps /= 2,
                Err(error) => return Err((pieces, error)),
            }
        }
        Ok(pieces)
    }

    async fn piece(&self, query: &str, start: u64, end: u64) -> Result<Vec<u8>, DriverError> {
        let joined = self.request.url.join("api/v1/query_range");
        let mut url = joined.map_err(|_| ErrorKind::Invalid.because("its address cannot be used"))?;
        url.query_pairs_mut()
            .append_pair("query", query)
            .append_pair("start", &start.to_string())
            .append_pair("end", &end.to_string())
            .append_pair("step", &self.request.step.to_string());
        let mut question = Question::new(Method::GET, url, self.request.timeout);
        match &self.request.login {
            Login::None => {}
            Login::Bearer(token) => {
                question = question.secret_header(AUTHORIZATION, &format!("Bearer {}", token.expose()))?;
            }
            Login::Basic(user, password) => question.basic_auth = Some((user.clone(), password.clone())),
        }
        let answer = ask(&self.rest, &question).await?;
        // It always writes this first, so that a large answer need not be read twice.
        let is_answer = answer.body.starts_with(b"{\"status\":\"success\"");
        match is_answer || answer.json::<Value>().is_ok_and(|value| value["status"] == "success") {
            true => Ok(answer.body),
            false => Err(ErrorKind::Invalid.because("what it answers is not Prometheus")),
        }
    }
}

/// Whether a smaller piece may be answered: too many samples or points, too long, or too much to read.
fn is_too_much(error: &DriverError) -> bool {
    [
        "too many samples",
        "exceeded maximum resolution",
        "timed out",
        "more than",
        "in time",
        "too large",
        "limit",
    ]
    .iter()
    .any(|part| error.message.contains(part))
}

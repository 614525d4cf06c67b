//! `cloakroom explain`: what becomes of one request, and why. Sends nothing, shows no secret.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use clap::Args;
use http::header::{COOKIE, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::exit::Failure;
use super::{ConfigFile, report, serve};
use crate::config::{Config, StoreKind};
use crate::handler::{Environment, Explanation, Step, TokenHandler, Verdict};
use crate::server;

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The method of the request
    method: Method,
    /// Its target: path and query, as they stand in the request
    path: String,
    /// The page that asks: an `Origin` header
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<HeaderValue>,
    /// Another header; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME:VALUE", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The host that is asked; without it the first app's
    #[arg(long, value_name = "HOST")]
    host: Option<HeaderValue>,
    /// A file with a `Cookie` header line, as a browser's tools copy it
    #[arg(long, value_name = "FILE")]
    cookie_file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFile,
}

impl Explain {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (mut config, _) = report::read(&self.config.config)?;
        // It changes nothing and is of one process: the file of the store is the service's.
        if let StoreKind::Memory { file } = &mut config.store {
            *file = None;
        }
        let headers = self.request_headers(&config)?;
        let title = format!(
            "{} {} at {}",
            self.method,
            self.path,
            headers
                .get(HOST)
                .map_or("", |host| host.to_str().unwrap_or_default())
        );
        let explanation = if let Some(why) = self.library_refuses(&headers) {
            refused_before(why)
        } else {
            let handler = TokenHandler::new(&config, Environment::default())
                .map_err(|error| Failure::config(error.to_string()))?;
            let parts = self.parts(headers)?;
            let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
            serve::runtime()?.block_on(handler.explain(parts, peer))
        };
        let mut stdout = std::io::stdout();
        let terminal = stdout.is_terminal();
        let look = Look {
            lines: terminal,
            colour: terminal && !report::no_colour(),
        };
        stdout
            .write_all(draw(&title, &explanation, look).as_bytes())
            .map_err(|error| Failure::failed(format!("cannot write the result: {error}")))
    }

    fn request_headers(&self, config: &Config) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        let first = config.apps.first().map_or("", |app| app.origin.authority());
        let host = match &self.host {
            Some(host) => host.clone(),
            None => HeaderValue::from_str(first)
                .map_err(|error| Failure::failed(format!("cannot name the host: {error}")))?,
        };
        headers.insert(HOST, host);
        if let Some(origin) = &self.origin {
            headers.append(ORIGIN, origin.clone());
        }
        for (name, value) in &self.headers {
            if *name == HOST {
                headers.insert(HOST, value.clone());
            } else {
                headers.append(name, value.clone());
            }
        }
        if let Some(file) = &self.cookie_file {
            for line in cookie_lines(file)? {
                headers.append(COOKIE, line);
            }
        }
        Ok(headers)
    }

    /// What ends before anything of ours is asked: a target that is none, or one that the listener does not like.
    fn library_refuses(&self, headers: &HeaderMap) -> Option<&'static str> {
        let Ok(uri) = self.path.parse::<Uri>() else {
            return Some("the target is none: the HTTP library refuses it with a bare 400");
        };
        let line = format!("{} {} HTTP/1.1\r\n\r\n", self.method, self.path);
        server::check_head(line.as_bytes(), &self.method, &uri, headers).err()
    }

    fn parts(&self, headers: HeaderMap) -> Result<Parts, Failure> {
        let request = Request::builder().method(&self.method).uri(&*self.path).body(());
        let request =
            request.map_err(|error| Failure::failed(format!("cannot make the request: {error}")))?;
        let (mut parts, ()) = request.into_parts();
        parts.headers = headers;
        Ok(parts)
    }
}

fn refused_before(why: &str) -> Explanation {
    Explanation {
        steps: vec![Step {
            name: "head",
            lines: vec![why.to_owned()],
            refused: true,
        }],
        verdict: Verdict::Refused {
            status: 400,
            code: "invalid_request",
            fix: Some("send a target as browsers do: a path and a query, without a fragment".to_owned()),
        },
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write it as NAME:VALUE")?;
    let name = name.trim().parse().map_err(|_| "the name is no header's")?;
    let value = value.trim().parse().map_err(|_| "the value is no header's")?;
    Ok((name, value))
}

/// The values of the `Cookie` lines of a file; lines of other headers are no business of ours.
fn cookie_lines(path: &Path) -> Result<Vec<HeaderValue>, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::failed(format!("cannot read `{shown}`: {error}")))?;
    let lines: Vec<HeaderValue> = text
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(':').unwrap_or(("", line));
            let value = match name.trim() {
                name if name.eq_ignore_ascii_case("cookie") => rest,
                // The value alone, which may hold a colon further on.
                name if name.is_empty() || name.contains('=') => line,
                _ => return None,
            };
            let mut value: HeaderValue = value.trim().parse().ok().filter(|_| value.contains('='))?;
            value.set_sensitive(true);
            Some(value)
        })
        .collect();
    if lines.is_empty() {
        return Err(Failure::failed(format!(
            "`{shown}` holds no cookie; it should hold a line like `Cookie: name=value; other=value`"
        )));
    }
    Ok(lines)
}

/// How the tree is drawn: as the problems of a configuration are.
#[derive(Clone, Copy)]
struct Look {
    lines: bool,
    colour: bool,
}

fn draw(title: &str, explanation: &Explanation, look: Look) -> String {
    let (branch, trunk, end) = if look.lines {
        ("├─ ", "│  ", "└─ ")
    } else {
        ("|- ", "|  ", "`- ")
    };
    let mut text = format!("{title}\n{}\n", trunk.trim_end());
    for step in &explanation.steps {
        let mark = if step.refused { "NO: " } else { "" };
        for (index, line) in step.lines.iter().enumerate() {
            let last = index + 1 == step.lines.len();
            let mark = if last { mark } else { "" };
            for (part, piece) in wrapped(&format!("{mark}{line}")).into_iter().enumerate() {
                let first = index == 0 && part == 0;
                let name = if first { step.name } else { "" };
                let piece = paint(&piece, if last && step.refused { "31" } else { "" }, look);
                // Writing to a string does not fail.
                let _ = writeln!(text, "{}{name:<10}{piece}", if first { branch } else { trunk });
            }
        }
    }
    let (verdict, fix, colour) = match &explanation.verdict {
        Verdict::Forwarded(target) => (format!("would be forwarded: {target}"), None, "32"),
        Verdict::Answered(what) => (format!("would be answered {what}"), None, "32"),
        Verdict::Refused { status, code, fix } => (
            format!("would be answered with {status} {code}"),
            fix.as_deref(),
            "31",
        ),
    };
    let fix = fix.map(|fix| format!("fix: {fix}"));
    for (at, line) in std::iter::once(verdict).chain(fix).enumerate() {
        for (part, piece) in wrapped(&line).into_iter().enumerate() {
            let first = at == 0 && part == 0;
            let (lead, name) = if first { (end, "verdict") } else { ("   ", "") };
            let piece = paint(&piece, if at == 0 { colour } else { "" }, look);
            let _ = writeln!(text, "{lead}{name:<10}{piece}");
        }
    }
    text
}

fn paint(text: &str, colour: &str, look: Look) -> String {
    if look.colour && !colour.is_empty() {
        format!("\u{1b}[{colour}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// In pieces that fit, broken at spaces; what has none stays whole. Control characters of a request do nothing here.
fn wrapped(line: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in line.split(' ') {
        let word: String = word
            .chars()
            .flat_map(|c| {
                let escaped: Vec<char> = if c.is_control() {
                    c.escape_debug().collect()
                } else {
                    vec![c]
                };
                escaped
            })
            .collect();
        let room = pieces.last().map_or(0, |piece| piece.chars().count());
        match pieces.last_mut() {
            Some(piece) if piece.is_empty() => *piece = word,
            Some(piece) if room + 1 + word.chars().count() <= WIDTH => {
                piece.push(' ');
                piece.push_str(&word);
            }
            _ => pieces.push(word),
        }
    }
    pieces
}

/// What is left of 80 columns beside branch and name.
const WIDTH: usize = 80 - 13;

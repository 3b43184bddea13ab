//! `certify`: arguments, a table of what was found, and the report in a file.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use reqwest::Url;
use serde::Serialize;

use super::print;
use super::run::stop_on_signals;
use crate::certify::{self, Report, Verdict};
use crate::config::{Config, Receiver, is_loopback, parse_endpoint};
use crate::fault::Fault;
use crate::relay::{Stop, stopped};

#[derive(Args)]
pub(super) struct Options {
    /// The endpoint to certify; a partner's staging, never its production
    #[arg(long, value_name = "URL")]
    url: String,
    /// The host of that URL once more: made-up properties may be sent there
    #[arg(long, value_name = "HOST")]
    yes: String,
    /// By whose settings; needed where several receivers are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    /// Write the report there, by its name's ending as Markdown (.md) or JSON (.json)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// A line of the table.
#[derive(Serialize)]
struct Line {
    rule: &'static str,
    found: &'static str,
    why: String,
}

pub(super) async fn certify(config: &Config, options: Options) -> Result<()> {
    let receiver = receiver(config, &options)?;
    let written = options.report.as_deref().map(kind).transpose()?;
    let unchecked = certify::check_reserved(config).await?;
    let mut stop = stop_on_signals()?;
    let first = config.certify.property_id;
    let report = tokio::select! {
        report = certify::certify(receiver, &config.certify, unchecked, stop.clone()) => report?,
        () = stopped(&mut stop, Stop::Now) => return Err(Fault::finding(format!(
            "interrupted before what was sent was taken back: properties from {first} on may remain there, none of their units available"
        )).into()),
    };
    if let (Some(path), Some(kind)) = (&options.report, written) {
        let text = match kind {
            Kind::Markdown => certify::markdown(&report),
            Kind::Json => serde_json::to_string_pretty(&report)?,
        };
        std::fs::write(path, text)
            .map_err(|error| Fault::usage(format!("the report {} can't be written: {error}", path.display())))?;
    }
    show(&report, options.json)?;
    finding(&report)
}

/// How the command ends.
fn finding(report: &Report) -> Result<()> {
    let (endpoint, costly) = (&report.endpoint, report.costly());
    if report.interrupted {
        let said = "interrupted: not everything was asked; what was sent was taken back as far as the endpoint let it";
        return Err(Fault::finding(said).into());
    }
    if !costly.is_empty() {
        let broken = costly.join(", ");
        return Err(Fault::finding(format!("{endpoint} does not keep what the copy depends on: {broken}")).into());
    }
    match &report.given_up {
        Some(why) => Err(Fault::unreachable(format!("{endpoint} could not be asked everything: {why}")).into()),
        None => Ok(()),
    }
}

/// By the settings of the receiver that is meant, at the URL that was given.
fn receiver(config: &Config, options: &Options) -> Result<Receiver> {
    let configured = match config.receivers.is_empty() && options.receiver.is_none() {
        true => None,
        false => Some(config.receiver(options.receiver.as_deref())?),
    };
    let is_plain_allowed = configured.is_some_and(|it| it.url.scheme() == "http" && !is_loopback(&it.url));
    let url = parse_endpoint(&options.url, is_plain_allowed)
        .map_err(|must| Fault::usage(format!("--url {must}; nothing was sent")))?;
    confirmed(&url, &options.yes)?;
    Ok(match configured {
        Some(configured) => Receiver {
            url,
            ..configured.clone()
        },
        None => Receiver::new("staging", url),
    })
}

fn confirmed(url: &Url, host: &str) -> Result<()> {
    let named = url.host_str().unwrap_or_default();
    let with_port = url.port().map(|port| format!("{named}:{port}"));
    if host.eq_ignore_ascii_case(named) || with_port.is_some_and(|with_port| host.eq_ignore_ascii_case(&with_port)) {
        return Ok(());
    }
    Err(Fault::usage(format!(
        "--yes {host} is not the host of --url, which is {named}: name that one if made-up properties may be sent there; nothing was sent"
    ))
    .into())
}

enum Kind {
    Markdown,
    Json,
}

fn kind(path: &Path) -> Result<Kind> {
    let is_there = path
        .parent()
        .is_none_or(|parent| parent.as_os_str().is_empty() || parent.is_dir());
    match path.extension().and_then(|ending| ending.to_str()) {
        _ if !is_there => Err(Fault::usage(format!(
            "--report {}: there is no such directory; nothing was sent",
            path.display()
        ))
        .into()),
        Some("md") => Ok(Kind::Markdown),
        Some("json") => Ok(Kind::Json),
        _ => Err(Fault::usage(format!(
            "--report {}: name a file that ends in .md or .json; nothing was sent",
            path.display()
        ))
        .into()),
    }
}

fn show(report: &Report, json: bool) -> Result<()> {
    if json {
        return print::json_line(&serde_json::to_string_pretty(report)?);
    }
    let line = |rule: &certify::RuleReport| Line {
        rule: rule.finding.rule.about().name,
        found: match rule.finding.verdict {
            Verdict::Kept => "kept",
            Verdict::NotKept if rule.finding.costs_truth => "NOT KEPT",
            Verdict::NotKept => "not kept",
            Verdict::NotVisible => "can't be seen",
        },
        why: rule.finding.why.clone(),
    };
    print::rows(&report.rules.iter().map(line).collect::<Vec<_>>(), false, "")?;
    print::line(&format!(
        "\n{}\n\nsettings that follow:\n\n{}",
        report.verdict, report.settings
    ))?;
    for left in &report.remains {
        print::line(&format!("may remain: {left}"))?;
    }
    Ok(())
}

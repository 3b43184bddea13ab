//! `lambda`, and what starts it without being asked by name.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

#[cfg(feature = "lambda")]
use super::{check, context, run};
use crate::config::Config;
#[cfg(feature = "lambda")]
use crate::config::SettingsError;
#[cfg(not(feature = "lambda"))]
use crate::fault::Fault;

/// The arguments, with the command that AWS Lambda means where it names none: it starts `bootstrap`, or an image's entry point, by itself.
pub(super) fn meant(mut arguments: Vec<OsString>, in_lambda: bool) -> Vec<OsString> {
    let name = arguments.first().map(Path::new).and_then(Path::file_name);
    let is_bootstrap = name.is_some_and(|name| name == "bootstrap");
    if arguments.len() == 1 && (is_bootstrap || in_lambda) {
        arguments.push("lambda".into());
    }
    arguments
}

#[cfg(feature = "lambda")]
pub(super) async fn lambda(config: Config) -> Result<()> {
    let stop = run::stop_on_signals()?;
    // An environment that fails at its start says so at once, and not with the first event.
    SettingsError::unless_none(check::of_a_pass(&config))?;
    crate::lambda::serve(context::database(&config)?, config, stop).await
}

#[cfg(not(feature = "lambda"))]
pub(super) async fn lambda(_: Config) -> Result<()> {
    Err(Fault::usage("this build has no `lambda`: build it with --features lambda").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambda_is_meant_where_nothing_else_is() {
        let meant = |arguments: &[&str], in_lambda| {
            let arguments = arguments.iter().map(OsString::from).collect();
            meant(arguments, in_lambda).len() == 2
        };
        assert!(meant(&["/var/task/bootstrap"], false));
        assert!(meant(&["/usr/bin/rentsync-relay"], true));
        assert!(!meant(&["/usr/bin/rentsync-relay"], false));
        assert_eq!(super::meant(vec!["bootstrap".into(), "status".into()], true).len(), 2);
        assert_eq!(
            super::meant(vec!["bootstrap".into(), "status".into()], true)[1],
            "status"
        );
    }
}

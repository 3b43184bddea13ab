//! A database URL that names several hosts, as libpq takes them: in its authority, as `host`, `hostaddr` and `port`, or as PGHOST and
//! PGPORT. One of each: a URL for each host.

/// The parameters that may be lists.
const LISTS: [&str; 3] = ["host", "hostaddr", "port"];

/// A URL for each host that a URL names, in its order. `environment` is asked where the URL names none.
///
/// # Errors
/// Where there are as many hosts as can't be told apart by ports: neither one for all nor one for each.
pub(crate) fn url_of_each(
    url: &str,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Vec<String>, &'static str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok(vec![url.to_owned()]);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let (path, query) = behind.split_once('?').unwrap_or((behind, ""));
    let mut parameters: Vec<(String, String)> = query.split('&').filter(|each| !each.is_empty()).map(pair).collect();
    let names = |parameters: &[(String, String)], name: &str| parameters.iter().any(|(known, _)| known == name);
    // The driver itself takes one of each from there.
    if hosts.is_empty() && !names(&parameters, "host") && !names(&parameters, "hostaddr") {
        for (variable, name) in [("PGHOST", "host"), ("PGPORT", "port")] {
            let list = environment(variable).filter(|list| list.contains(',') && !names(&parameters, name));
            parameters.extend(list.map(|list| (name.to_owned(), list)));
        }
    }
    let authorities: Vec<&str> = hosts.split(',').collect();
    let lists = |name: &str, value: &str| LISTS.contains(&name) && value.contains(',');
    let lengths = parameters
        .iter()
        .filter(|(name, value)| lists(name, value))
        .map(|(_, value)| value.split(',').count());
    let count = lengths.clone().chain([authorities.len()]).max().unwrap_or(1);
    if lengths
        .chain([authorities.len()])
        .any(|length| length != 1 && length != count)
    {
        return Err("it names several hosts, and neither one port for all nor one for each");
    }
    let of = |place: usize| {
        let at = authorities[place.min(authorities.len() - 1)];
        let each = parameters.iter().map(|(name, value)| match lists(name, value) {
            true => format!("{name}={}", encoded(value.split(',').nth(place).unwrap_or_default())),
            false if value.is_empty() => name.clone(),
            false => format!("{name}={value}"),
        });
        let query = each.collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}://{user}{at}{path}{mark}{query}")
    };
    Ok((0..count).map(of).collect())
}

/// A list's comma may be encoded; what else there is stays as it is.
fn pair(parameter: &str) -> (String, String) {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    match LISTS.contains(&name) {
        true => (name.to_owned(), value.replace("%2C", ",").replace("%2c", ",")),
        false => (name.to_owned(), value.to_owned()),
    }
}

/// Of what the environment names, which is not encoded, and of what a URL names, which is.
fn encoded(host: &str) -> String {
    match host.contains('%') {
        true => host.to_owned(),
        false => form_urlencoded::byte_serialize(host.as_bytes()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(url: &str) -> Vec<String> {
        url_of_each(url, |_| None).expect(url)
    }

    #[test]
    fn hosts_are_named_as_libpq_takes_them() {
        let two = ["postgres://u:p@h1:1/d", "postgres://u:p@h2:2/d"];
        for (url, expected) in [
            ("postgres://u:p@h1:1,h2:2/d", &two[..]),
            (
                "postgres://u:p@h/d?sslmode=require",
                &["postgres://u:p@h/d?sslmode=require"],
            ),
            (
                "postgres://h1,h2/d?port=7&options=-c%20a",
                &[
                    "postgres://h1/d?port=7&options=-c%20a",
                    "postgres://h2/d?port=7&options=-c%20a",
                ],
            ),
            ("postgres://[::1]:1,[::2]", &["postgres://[::1]:1", "postgres://[::2]"]),
            (
                "postgres:///d?host=/a,h2&port=1%2C2",
                &["postgres:///d?host=%2Fa&port=1", "postgres:///d?host=h2&port=2"],
            ),
            ("hunter2", &["hunter2"]),
        ] {
            assert_eq!(each(url), expected, "{url}");
        }
        assert!(url_of_each("postgres://a,b,c/d?port=1,2", |_| None).is_err());
    }

    #[test]
    fn the_environment_names_them_where_the_url_names_none() {
        let environment = |name: &str| match name {
            "PGHOST" => Some("h1,/run/pg".to_owned()),
            "PGPORT" => Some("1,2".to_owned()),
            _ => None,
        };
        assert_eq!(
            url_of_each("postgres:///d", environment).unwrap(),
            ["postgres:///d?host=h1&port=1", "postgres:///d?host=%2Frun%2Fpg&port=2"]
        );
        assert_eq!(url_of_each("postgres://h/d", environment).unwrap(), ["postgres://h/d"]);
        assert_eq!(
            url_of_each("postgres:///d?host=h", environment).unwrap(),
            ["postgres:///d?host=h"]
        );
    }
}

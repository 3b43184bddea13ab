//! Our properties and units beside a partner's own list: what goes with what, as far as that can be seen.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::file::{Kind, Theirs};
use super::ours::{OurProperty, OurUnit, Ours, write_proposal};
use super::plain::{plain, plain_code};

/// How sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// Mapped, or the same id or code on both sides.
    Exact,
    /// The same address, name or code, but for how it is written.
    Likely,
    /// Several on one side go with one on the other.
    Twice,
    /// Nothing goes with it.
    None,
}

impl Match {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Likely => "likely",
            Self::Twice => "twice",
            Self::None => "none",
        }
    }
}

/// One of ours and one of theirs, or one of either alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// How sure it is.
    #[serde(rename = "match")]
    pub how: Match,
    /// What it is.
    pub kind: Kind,
    /// The source's id.
    pub id: Option<i64>,
    /// The property's name, or the unit's code.
    pub ours: Option<String>,
    /// What they call it.
    pub theirs: Option<String>,
    /// Their name for people.
    pub their_name: Option<String>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Properties, then units, each in the order of our ids; what only they have comes last.
    pub pairs: Vec<Pair>,
}

impl Report {
    /// How many of a kind match so.
    pub fn count(&self, kind: Kind, how: Match) -> usize {
        self.pairs
            .iter()
            .filter(|pair| pair.kind == kind && pair.how == how)
            .count()
    }

    /// Writes what would be imported: what matches exactly, and what is likely and should be read first.
    pub fn propose(&self, path: &Path) -> Result<()> {
        let sure = self
            .pairs
            .iter()
            .filter(|pair| matches!(pair.how, Match::Exact | Match::Likely));
        let rows = sure.filter_map(|pair| {
            let (id, theirs) = (pair.id?, pair.theirs.as_deref()?);
            Some((
                pair.kind,
                id,
                theirs,
                pair.how.as_str(),
                pair.ours.as_deref().unwrap_or_default(),
            ))
        });
        write_proposal(path, rows)
    }
}

/// By what one of either side is found, the surest first: its id or code, its address or the code however it is written, its name.
type Names = [Option<String>; 3];

struct Side {
    names: Names,
    pair: Pair,
}

/// Puts both lists side by side.
pub fn compare(ours: &Ours, theirs: &[Theirs]) -> Report {
    let of = |kind| theirs.iter().filter(move |row| row.kind == kind);
    let here = ours.properties.iter().map(our_property).collect();
    let mut pairs = pair_up(here, of(Kind::Property).map(their_property).collect());
    // Units are told apart within a property, by what the partner calls that.
    let called: HashMap<i64, &str> = pairs
        .iter()
        .filter(|pair| pair.how != Match::Twice)
        .filter_map(|pair| Some((pair.id?, pair.theirs.as_deref()?)))
        .collect();
    let here = ours
        .units
        .iter()
        .map(|unit| our_unit(unit, called.get(&unit.property_id).copied()));
    let units = pair_up(here.collect(), of(Kind::Unit).map(their_unit).collect());
    pairs.extend(units);
    Report { pairs }
}

/// What is mapped and what is not; several under one name within a property, or properties under one id, are one to the receiver.
pub fn stored(ours: &Ours) -> Report {
    let mut properties: Vec<Side> = ours.properties.iter().map(our_property).collect();
    let called = |property_id: i64| property_id.to_string();
    let mut units: Vec<Side> = ours
        .units
        .iter()
        .map(|unit| our_unit(unit, Some(&called(unit.property_id))))
        .collect();
    let property_names = ours.properties.iter().map(|it| it.theirs.clone());
    let unit_names = ours.units.iter().map(|it| it.theirs.clone());
    Report {
        pairs: judged(&mut properties, property_names)
            .chain(judged(&mut units, unit_names))
            .collect(),
    }
}

fn judged(sides: &mut Vec<Side>, theirs: impl Iterator<Item = Option<String>>) -> impl Iterator<Item = Pair> {
    let named = by_name(sides, 0);
    let shared: Vec<usize> = named
        .into_values()
        .filter(|places| places.len() > 1)
        .flatten()
        .collect();
    for (side, theirs) in sides.iter_mut().zip(theirs) {
        side.pair.how = if theirs.is_some() { Match::Exact } else { Match::None };
        side.pair.theirs = theirs;
    }
    for place in shared {
        sides[place].pair.how = Match::Twice;
    }
    sides.drain(..).map(|side| side.pair)
}

fn our_property(it: &OurProperty) -> Side {
    let names = match &it.theirs {
        // What a person mapped goes with nothing else.
        Some(theirs) => [Some(theirs.clone()), None, None],
        None => [
            Some(it.id.to_string()),
            plain(it.address.as_deref()),
            plain(it.name.as_deref()),
        ],
    };
    ours(Kind::Property, it.id, it.name.clone(), names)
}

fn their_property(it: &Theirs) -> Side {
    let names = [Some(it.theirs.clone()), plain(Some(&it.address)), plain(Some(&it.name))];
    theirs(it, names)
}

fn our_unit(it: &OurUnit, property: Option<&str>) -> Side {
    let within = |code: String| Some(format!("{}\n{code}", property?));
    let likely = || it.code.as_deref().and_then(plain_code).and_then(within);
    let names = match &it.theirs {
        Some(theirs) => [within(theirs.clone()), None, None],
        None => [it.code.clone().and_then(within), likely(), likely()],
    };
    ours(Kind::Unit, it.id, it.code.clone(), names)
}

fn their_unit(it: &Theirs) -> Side {
    let within = |code: String| Some(format!("{}\n{code}", it.property));
    let likely = |code: &str| plain_code(code).and_then(within);
    let names = [within(it.theirs.clone()), likely(&it.theirs), likely(&it.name)];
    theirs(it, names)
}

fn ours(kind: Kind, id: i64, ours: Option<String>, names: Names) -> Side {
    let pair = Pair {
        how: Match::None,
        kind,
        id: Some(id),
        ours,
        theirs: None,
        their_name: None,
    };
    Side { names, pair }
}

fn theirs(it: &Theirs, names: Names) -> Side {
    let pair = Pair {
        how: Match::None,
        kind: it.kind,
        id: None,
        ours: None,
        theirs: Some(it.theirs.clone()),
        their_name: (!it.name.is_empty()).then(|| it.name.clone()),
    };
    Side { names, pair }
}

/// What is sure is taken first, and what is likely is looked for among what is left. A name that several have, on either side, decides nothing.
fn pair_up(mut ours: Vec<Side>, mut theirs: Vec<Side>) -> Vec<Pair> {
    for rank in 0..Names::default().len() {
        let how = if rank == 0 { Match::Exact } else { Match::Likely };
        let there = by_name(&theirs, rank);
        for (name, here) in by_name(&ours, rank) {
            let Some(there) = there.get(&name) else { continue };
            let how = if here.len() == 1 && there.len() == 1 {
                how
            } else {
                Match::Twice
            };
            for place in there {
                theirs[*place].pair.how = how;
            }
            let found = &theirs[there[0]].pair;
            for place in here {
                let pair = &mut ours[place].pair;
                pair.how = how;
                (pair.theirs, pair.their_name) = (found.theirs.clone(), found.their_name.clone());
            }
        }
    }
    let left = theirs.into_iter().filter(|side| side.pair.how == Match::None);
    ours.into_iter().chain(left).map(|side| side.pair).collect()
}

/// The places of those that nothing was found for yet, by their names of one rank.
fn by_name(sides: &[Side], rank: usize) -> HashMap<String, Vec<usize>> {
    let mut found: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, side) in sides
        .iter()
        .enumerate()
        .filter(|(_, side)| side.pair.how == Match::None)
    {
        if let Some(name) = &side.names[rank] {
            found.entry(name.clone()).or_default().push(place);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(id: i64, theirs: Option<&str>, name: &str, address: &str) -> OurProperty {
        OurProperty {
            id,
            theirs: theirs.map(str::to_owned),
            name: Some(name.to_owned()),
            address: Some(address.to_owned()),
        }
    }

    fn unit(id: i64, property_id: i64, theirs: Option<&str>, code: &str) -> OurUnit {
        OurUnit {
            id,
            property_id,
            theirs: theirs.map(str::to_owned),
            code: Some(code.to_owned()),
        }
    }

    fn their(kind: Kind, theirs: &str, name: &str, address: &str, property: &str) -> Theirs {
        let [theirs, name, address, property] = [theirs, name, address, property].map(str::to_owned);
        Theirs {
            kind,
            theirs,
            name,
            address,
            property,
        }
    }

    #[test]
    fn what_goes_with_what_is_found_by_id_by_address_by_name_and_by_code() {
        let ours = Ours {
            properties: vec![
                property(1, None, "Sunset", "1 Main Street, Calgary, AB"),
                property(2, Some("P-2"), "Moved", "5 Oak Ave"),
                property(3, None, "The Oaks", "7 Elm Road"),
                property(4, None, "Twin East", "9 Pine St."),
                property(5, None, "Twin West", "9 Pine Street"),
                property(6, None, "Alone", "11 Fir Way"),
            ],
            units: vec![
                unit(11, 1, None, "101"),
                unit(12, 1, None, "0102"),
                unit(13, 1, Some("PH"), "103"),
                unit(14, 1, None, "104"),
                unit(61, 6, None, "101"),
            ],
        };
        let theirs = [
            their(Kind::Property, "A", "Sunset Apts", "1 MAIN ST CALGARY AB", ""),
            their(Kind::Property, "P-2", "", "", ""),
            their(Kind::Property, "C", "the oaks", "", ""),
            their(Kind::Property, "D", "Twins", "9 Pine St", ""),
            their(Kind::Property, "E", "Unknown", "", ""),
            their(Kind::Unit, "101", "", "", "A"),
            their(Kind::Unit, "x7", "Unit #102", "", "A"),
            their(Kind::Unit, "PH", "", "", "A"),
            their(Kind::Unit, "101", "", "", "E"),
        ];
        let report = compare(&ours, &theirs);
        let found: Vec<(Option<i64>, Option<&str>, Match)> = report
            .pairs
            .iter()
            .map(|pair| (pair.id, pair.theirs.as_deref(), pair.how))
            .collect();
        assert_eq!(
            found,
            [
                (Some(1), Some("A"), Match::Likely),
                (Some(2), Some("P-2"), Match::Exact),
                (Some(3), Some("C"), Match::Likely),
                (Some(4), Some("D"), Match::Twice),
                (Some(5), Some("D"), Match::Twice),
                (Some(6), None, Match::None),
                (None, Some("E"), Match::None),
                (Some(11), Some("101"), Match::Exact),
                (Some(12), Some("x7"), Match::Likely),
                (Some(13), Some("PH"), Match::Exact),
                (Some(14), None, Match::None),
                (Some(61), None, Match::None),
                (None, Some("101"), Match::None),
            ]
        );
        assert_eq!(report.count(Kind::Property, Match::Likely), 2);
    }
}

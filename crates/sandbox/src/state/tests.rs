//! How syncs change what is held, without a socket.

use super::super::received::{Order, Part, ReceivedDigest, Removal, RemovedCode, SyncType, Upsert, sha256};
use super::*;

/// A unit whose content is its code and rent, hashed as a sender might.
fn unit(unit_id: i64, code: &str, rent: f64) -> Upsert {
    let content = format!(r#"{{"unit_id":{unit_id},"unit_code":"{code}","base_rent":{rent:?}}}"#);
    Upsert {
        place: String::new(),
        unit_id,
        unit_code: Some(code.into()),
        content_hash: Some(sha256(content.as_bytes())),
        content,
    }
}

fn freed(unit_id: i64, code: &str) -> Removal {
    let code = RemovedCode::Freed(Some(code.into()));
    removal(unit_id, code)
}

fn replaced(unit_id: i64, by: i64) -> Removal {
    removal(unit_id, RemovedCode::ReplacedBy(by))
}

fn removal(unit_id: i64, code: RemovedCode) -> Removal {
    let place = String::new();
    Removal { place, unit_id, code }
}

/// The digest by the book: over all units, from nothing.
fn digest_of(units: &[Upsert]) -> Digest {
    units.iter().fold(Digest::default(), |digest, unit| {
        let line = format!("{}:{}", unit.unit_id, hex::encode(unit.content_hash.unwrap()));
        let mark = sha256(line.as_bytes());
        std::array::from_fn(|index| digest[index] ^ mark[index])
    })
}

fn property(mut upserts: Vec<Upsert>, mut removals: Vec<Removal>) -> ReceivedProperty {
    for (index, unit) in upserts.iter_mut().enumerate() {
        unit.place = format!("$.units[{index}]");
    }
    for (index, unit) in removals.iter_mut().enumerate() {
        unit.place = format!("$.removed_units[{index}]");
    }
    ReceivedProperty {
        place: "$".into(),
        project_id: 101.into(),
        whole: None,
        property: None,
        property_digest: ReceivedDigest::Is(digest_of(&upserts)),
        upserts,
        removals,
        keep: vec![],
    }
}

fn delta(sequence: i64, upserts: Vec<Upsert>, removals: Vec<Removal>) -> ReceivedSync {
    ReceivedSync {
        sync_id: format!("sync-{sequence}"),
        order: Some(Order {
            sequence,
            sync_type: SyncType::Delta,
        }),
        properties: vec![property(upserts, removals)],
    }
}

fn part(sequence: i64, part: i64, parts: i64, upserts: Vec<Upsert>, keep: Vec<i64>) -> ReceivedSync {
    let mut sync = delta(sequence, upserts, vec![]);
    sync.properties[0].whole = Some(Part {
        snapshot_id: "one".into(),
        part,
        parts,
    });
    sync.properties[0].keep = keep;
    sync.properties[0].property_digest = ReceivedDigest::Is([9; 32]);
    sync
}

fn with_digest_of(mut sync: ReceivedSync, units: &[Upsert]) -> ReceivedSync {
    sync.properties[0].property_digest = ReceivedDigest::Is(digest_of(units));
    sync
}

/// The body is as new as the sync ID.
fn receive(state: &mut State, sync: ReceivedSync) -> Result<Answer, Refusal> {
    let body = sha256(sync.sync_id.as_bytes());
    state.receive(sync, body, &Twist::default())
}

fn receive_rejecting(state: &mut State, sync: ReceivedSync, reject: &[i64]) -> Answer {
    let body = sha256(sync.sync_id.as_bytes());
    let twist = Twist {
        reject_units: reject.iter().copied().collect(),
        ..Twist::default()
    };
    state.receive(sync, body, &twist).unwrap()
}

fn held(state: &State) -> Option<PropertyState> {
    state.property(&101.into())
}

fn ids(state: &State) -> Vec<i64> {
    held(state).unwrap().units.into_keys().collect()
}

#[test]
fn a_delta_deletes_then_upserts_and_leaves_the_rest() {
    let mut state = State::default();
    let units = vec![unit(1, "A", 1.0), unit(2, "B", 1.0), unit(3, "C", 1.0)];
    receive(&mut state, delta(1, units, vec![])).unwrap();
    let gone = vec![freed(3, "C"), freed(9, "Z")];
    receive(&mut state, delta(2, vec![unit(2, "B", 2.0)], gone)).unwrap();
    assert_eq!(ids(&state), [1, 2]);
    assert_eq!(held(&state).unwrap().units[&2]["base_rent"], 2.0);
}

#[test]
fn the_digest_is_that_of_the_units_held_and_zero_without_any() {
    let mut state = State::default();
    let units = vec![unit(1, "A", 1.0), unit(2, "B", 1.0)];
    let answer = receive(&mut state, delta(1, units.clone(), vec![])).unwrap();
    assert!(!answer.digest_mismatch);
    assert!(answer.body.contains(&hex::encode(digest_of(&units))));
    let changed = [unit(1, "A", 2.0), unit(2, "B", 1.0)];
    let sync = with_digest_of(delta(2, vec![unit(1, "A", 2.0)], vec![]), &changed);
    assert!(!receive(&mut state, sync).unwrap().digest_mismatch);
    let sync = delta(3, vec![], vec![freed(1, "A"), freed(2, "B")]);
    assert!(!receive(&mut state, sync).unwrap().digest_mismatch);
    assert_eq!(held(&state).unwrap().digest, "0".repeat(64));
}

#[test]
fn another_digest_is_answered_and_noted_but_the_sync_is_applied() {
    let mut state = State::default();
    let sync = with_digest_of(delta(1, vec![unit(1, "A", 1.0)], vec![]), &[]);
    let answer = receive(&mut state, sync).unwrap();
    assert!(answer.digest_mismatch && answer.applied);
    let own = hex::encode(digest_of(&[unit(1, "A", 1.0)]));
    assert!(answer.body.contains(&own));
}

#[test]
fn a_known_sync_gets_the_same_answer_and_changes_nothing() {
    let mut state = State::default();
    let first = receive(&mut state, delta(1, vec![unit(1, "A", 1.0)], vec![])).unwrap();
    receive(&mut state, delta(2, vec![], vec![freed(1, "A")])).unwrap();
    let again = receive(&mut state, delta(1, vec![unit(1, "A", 1.0)], vec![])).unwrap();
    assert_eq!(again.body, first.body);
    assert!(again.repeat && !again.applied);
    assert!(ids(&state).is_empty());
}

#[test]
fn one_sync_id_has_one_body_even_if_the_first_met_a_fault() {
    let mut state = State::default();
    state.note("sync-1", [1; 32]);
    let refusal = receive(&mut state, delta(1, vec![], vec![])).unwrap_err();
    let what = "sync-1 was sent before with another body";
    assert!(refusal.message.contains(what));
    let same = state.receive(delta(1, vec![], vec![]), [1; 32], &Twist::default());
    assert!(same.unwrap().applied);
}

#[test]
fn a_refused_sync_changes_nothing_and_is_not_remembered() {
    let mut state = State::default();
    receive(&mut state, delta(1, vec![unit(1, "A", 1.0)], vec![])).unwrap();
    let before = held(&state);
    let refused = delta(2, vec![unit(3, "C", 1.0)], vec![replaced(1, 1)]);
    receive(&mut state, refused).unwrap_err();
    assert_eq!(held(&state), before);
    let other = delta(2, vec![unit(2, "A", 1.0)], vec![replaced(1, 2)]);
    let answer = state.receive(other, [7; 32], &Twist::default());
    assert!(answer.unwrap().applied);
}

#[test]
fn an_older_sequence_is_stale_and_the_same_one_is_refused() {
    let mut state = State::default();
    receive(&mut state, delta(5, vec![unit(1, "A", 1.0)], vec![])).unwrap();
    let stale = receive(&mut state, delta(4, vec![unit(2, "B", 1.0)], vec![])).unwrap();
    assert_eq!(stale.body, r#"{"status":"stale","sequence":5}"#);
    assert!(stale.stale && !stale.applied);
    assert_eq!(ids(&state), [1]);
    let mut twin = delta(5, vec![], vec![]);
    twin.sync_id = "sync-other".into();
    let refusal = receive(&mut state, twin).unwrap_err();
    assert!(refusal.message.starts_with("$.sync_metadata.sequence: 5"));
}

#[test]
fn equal_content_has_equal_hash_and_the_reverse() {
    let mut state = State::default();
    let (old, new) = (unit(1, "A", 1.0), unit(1, "A", 2.0));
    receive(&mut state, delta(1, vec![old.clone()], vec![])).unwrap();
    receive(&mut state, delta(2, vec![new.clone()], vec![])).unwrap();
    receive(&mut state, delta(3, vec![], vec![freed(1, "A")])).unwrap();
    let mut hash_changed = old.clone();
    hash_changed.content_hash = Some([7; 32]);
    let mut hash_kept = unit(1, "A", 3.0);
    hash_kept.content_hash = new.content_hash;
    for (wrong, what) in [(hash_changed, "same content"), (hash_kept, "another content")] {
        let refusal = receive(&mut state, delta(4, vec![wrong], vec![])).unwrap_err();
        assert!(refusal.message.starts_with("$.units[0].content_hash: "));
        assert!(refusal.message.contains(what), "{}", refusal.message);
    }
    receive(&mut state, delta(5, vec![old], vec![])).unwrap();
}

#[test]
fn a_removal_names_no_code_that_a_living_unit_carries() {
    let mut state = State::default();
    let units = vec![unit(1, "A", 1.0), unit(2, "B", 1.0)];
    receive(&mut state, delta(1, units, vec![])).unwrap();
    let held = delta(2, vec![], vec![freed(1, "B")]);
    let sync = delta(2, vec![unit(3, "A", 1.0)], vec![freed(1, "A")]);
    let place = "$.removed_units[0].unit_code: ";
    for wrong in [held, sync] {
        let refusal = receive(&mut state, wrong).unwrap_err();
        assert!(refusal.message.starts_with(place), "{}", refusal.message);
    }
    let recoded = delta(2, vec![unit(2, "C", 1.0)], vec![freed(1, "B")]);
    receive(&mut state, recoded).unwrap();
}

#[test]
fn replaced_by_names_a_present_unit() {
    let mut state = State::default();
    let units = vec![unit(1, "A", 1.0), unit(2, "B", 1.0)];
    receive(&mut state, delta(1, units, vec![])).unwrap();
    for removals in [vec![replaced(1, 1)], vec![replaced(1, 2), freed(2, "B")]] {
        let refusal = receive(&mut state, delta(2, vec![], removals)).unwrap_err();
        let place = "$.removed_units[0].replaced_by: ";
        assert!(refusal.message.starts_with(place), "{}", refusal.message);
    }
    let sync = delta(2, vec![unit(3, "A", 1.0)], vec![replaced(1, 3)]);
    receive(&mut state, sync).unwrap();
    // The sender may have yet to send the unit that has the code now.
    receive(&mut state, delta(3, vec![], vec![replaced(3, 7)])).unwrap();
    receive_rejecting(&mut state, delta(4, vec![unit(4, "B", 1.0)], vec![]), &[4]);
    receive(&mut state, delta(5, vec![], vec![replaced(2, 4)])).unwrap();
}

#[test]
fn a_snapshot_drops_what_is_in_no_part_nor_kept_once_all_parts_came() {
    let mut state = State::default();
    let units = (1..=5).map(|id| unit(id, &id.to_string(), 1.0)).collect();
    receive(&mut state, delta(1, units, vec![])).unwrap();
    let first = part(2, 1, 3, vec![unit(1, "1", 2.0)], vec![4]);
    let answer = receive(&mut state, first).unwrap();
    assert_eq!(answer.body, r#"{"errors":[]}"#);
    assert!(!answer.digest_mismatch);
    assert_eq!(held(&state).unwrap().units[&1]["base_rent"], 2.0);
    let second = part(3, 2, 3, vec![unit(2, "2", 1.0)], vec![]);
    receive(&mut state, second).unwrap();
    assert_eq!(ids(&state), [1, 2, 3, 4, 5]);
    let last = part(4, 3, 3, vec![unit(6, "6", 1.0)], vec![]);
    let answer = receive(&mut state, last).unwrap();
    assert_eq!(ids(&state), [1, 2, 4, 6]);
    assert!(answer.digest_mismatch && answer.body.contains("property_digest"));
}

#[test]
fn a_snapshot_with_a_part_missing_drops_nothing() {
    let mut state = State::default();
    receive(&mut state, delta(1, vec![unit(1, "1", 1.0)], vec![])).unwrap();
    receive(&mut state, part(2, 1, 3, vec![], vec![])).unwrap();
    let answer = receive(&mut state, part(3, 3, 3, vec![], vec![])).unwrap();
    assert_eq!(ids(&state), [1]);
    assert!(answer.digest_mismatch);
}

#[test]
fn another_sync_ends_an_incomplete_snapshot() {
    let mut state = State::default();
    receive(&mut state, delta(1, vec![unit(1, "1", 1.0)], vec![])).unwrap();
    receive(&mut state, part(2, 1, 2, vec![], vec![])).unwrap();
    receive(&mut state, delta(3, vec![], vec![])).unwrap();
    receive(&mut state, part(4, 2, 2, vec![], vec![])).unwrap();
    assert_eq!(ids(&state), [1]);
}

#[test]
fn an_empty_snapshot_empties_the_property() {
    let mut state = State::default();
    receive(&mut state, delta(1, vec![unit(1, "1", 1.0)], vec![])).unwrap();
    let empty = with_digest_of(part(2, 1, 1, vec![], vec![]), &[]);
    assert!(!receive(&mut state, empty).unwrap().digest_mismatch);
    assert!(ids(&state).is_empty());
}

#[test]
fn parts_of_one_snapshot_agree() {
    let mut state = State::default();
    let first = part(1, 1, 3, vec![unit(1, "1", 1.0)], vec![]);
    receive(&mut state, first).unwrap();
    let mut digest = part(2, 2, 3, vec![], vec![]);
    digest.properties[0].property_digest = ReceivedDigest::Is([8; 32]);
    let doubled = part(2, 2, 3, vec![unit(1, "1", 1.0)], vec![]);
    for (wrong, place) in [
        (part(2, 2, 4, vec![], vec![]), "$.sync_metadata.parts: "),
        (part(2, 1, 3, vec![], vec![]), "$.sync_metadata.part: "),
        (digest, "$.property_digest: "),
        (doubled, "$.units[0].unit_id: "),
    ] {
        let refusal = receive(&mut state, wrong).unwrap_err();
        assert!(refusal.message.starts_with(place), "{}", refusal.message);
    }
}

#[test]
fn a_rejected_unit_is_named_and_stays_as_it_was() {
    let mut state = State::default();
    receive(&mut state, delta(1, vec![unit(1, "A", 1.0)], vec![])).unwrap();
    let sync = delta(2, vec![unit(1, "A", 2.0), unit(2, "B", 1.0)], vec![]);
    let answer = receive_rejecting(&mut state, sync, &[1]);
    assert!(answer.body.contains(r#""unit_id":1"#));
    assert!(!answer.body.contains(r#""unit_id":2"#));
    let left = [unit(1, "A", 1.0), unit(2, "B", 1.0)];
    assert!(answer.body.contains(&hex::encode(digest_of(&left))));
    assert_eq!(held(&state).unwrap().units[&1]["base_rent"], 1.0);
}

#[test]
fn several_properties_are_judged_together_and_applied_each_by_its_sequence() {
    let mut state = State::default();
    receive(&mut state, delta(5, vec![], vec![])).unwrap();
    let mut sync = delta(4, vec![unit(1, "A", 1.0)], vec![]);
    let mut other = property(vec![unit(2, "B", 1.0)], vec![]);
    other.project_id = 102.into();
    sync.properties.push(other);
    let answer = receive(&mut state, sync).unwrap();
    assert_eq!(
        answer.body,
        format!(
            r#"{{"stale":[{{"project_id":101,"sequence":5}}],"properties":[{{"project_id":102,"property_digest":"{}"}}],"errors":[]}}"#,
            hex::encode(digest_of(&[unit(2, "B", 1.0)]))
        )
    );
    assert!(answer.applied && answer.stale);
    assert!(ids(&state).is_empty());
    assert_eq!(state.property(&102.into()).unwrap().units.len(), 1);
}

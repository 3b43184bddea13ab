//! A sample portfolio: the same seed gives the same properties and units.

use anyhow::Result;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use sqlx::PgConnection;

/// The two source tables, empty.
pub const SCHEMA: &str = include_str!("schema.sql");

/// The status that means available; the others are rented and on notice.
pub const AVAILABLE: i64 = 1;

const PROPERTIES: [(&str, &str); 12] = [
    ("Sunset Apartments", "123 Main Street, Calgary, AB"),
    ("Harbour Court", "48 Water Street, Halifax, NS"),
    ("Maple Terrace", "910 Bank Street, Ottawa, ON"),
    ("Riverside Lofts", "17 River Road, Winnipeg, MB"),
    ("Cedar Place", "2200 Cedar Hill Road, Victoria, BC"),
    ("The Foundry", "305 Foundry Lane, Hamilton, ON"),
    ("Prairie View", "64 College Avenue, Regina, SK"),
    ("Garden City Homes", "12 Lakeshore Road, St. Catharines, ON"),
    ("Old Mill Yard", "77 Mill Street, Kitchener, ON"),
    ("North Gate", "5401 50 Avenue, Red Deer, AB"),
    ("Station Square", "600 Station Street, Vancouver, BC"),
    ("Elm Park", "231 Elm Street, Sudbury, ON"),
];

/// Creates the source tables with 12 properties and `units` units, shared out unevenly.
pub async fn load(conn: &mut PgConnection, seed: u64, units: usize) -> Result<()> {
    sqlx::raw_sql(SCHEMA).execute(&mut *conn).await?;
    let mut copy = conn.copy_in_raw("copy projects from stdin").await?;
    for (index, (name, address)) in PROPERTIES.iter().enumerate() {
        let line = format!(
            "{}\t{name}\t{}\t{address}\tt\t{}\n",
            101 + index,
            1 + index % 3,
            if index % 5 == 4 { "t" } else { "f" }
        );
        copy.send(line.into_bytes()).await?;
    }
    copy.finish().await?;
    let mut random = StdRng::seed_from_u64(seed);
    let mut copy = conn.copy_in_raw("copy project_rent_roll_units from stdin").await?;
    for index in 0..units {
        copy.send(unit(&mut random, index).into_bytes()).await?;
    }
    copy.finish().await?;
    sqlx::raw_sql("analyze projects; analyze project_rent_roll_units")
        .execute(conn)
        .await?;
    Ok(())
}

/// One line of COPY's text format.
fn unit(random: &mut StdRng, index: usize) -> String {
    let id = 12_000 + index;
    // The first properties are the larger ones.
    let property = 101 + (random.random_range(0.0_f64..1.0).powi(2) * 12.0) as usize;
    let floor = random.random_range(1..=24);
    let code = format!("{floor}{:02}-{}", index % 40, index / 40);
    let (plan, kind, bedrooms, dens, size) = *[
        ("STUDIO", "Studio", 0.0, 0, 420),
        ("1BR-OPEN", "1 Bed", 1.0, 0, 560),
        ("1BR-DEN", "1 Bed + Den", 1.0, 1, 640),
        ("2BR-CORNER", "2 Bed", 2.0, 0, 820),
        ("3BR-FAMILY", "3 Bed", 3.0, 0, 1100),
    ]
    .choose(random)
    .expect("there are floorplans");
    let size = size + random.random_range(0..12) * 10;
    let price = f64::from(900 + size + floor * 8);
    let amortized = if random.random_bool(0.3) {
        format!("{:.2}", price * 0.95)
    } else {
        r"\N".to_owned()
    };
    let (status, status_name, when) = *[
        (AVAILABLE, "Available", "Immediate"),
        (2, "Rented", r"\N"),
        (2, "Rented", r"\N"),
        (3, "On Notice", "December"),
    ]
    .choose(random)
    .expect("there are statuses");
    let lead = if random.random_bool(0.1) {
        format!("Lead\t{index}")
    } else {
        r"\N	\N".to_owned()
    };
    let exposure = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"]
        .choose(random)
        .expect("there are directions");
    let view = ["City View", "Courtyard", "Park", r"\N"]
        .choose(random)
        .expect("there are views");
    format!(
        "{id}\t{property}\t{code}\tA\t{floor}\t{plan}\t{kind}\t{status}\t{status_name}\t{when}\t{price}\t{amortized}\t{size}\t\
         {bedrooms}\t{}\t{dens}\tApartment\t{exposure}\t{view}\t{}\t{}\t{}\t{}\t{lead}\n",
        if bedrooms > 1.0 { 2.0 } else { 1.0 },
        if random.random_bool(0.4) { "t" } else { "f" },
        random.random_range(0..=2),
        random.random_range(0..=2),
        random.random_range(0..=1),
    )
}

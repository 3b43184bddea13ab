-- AiGent's two tables, as the guide describes them (2.1, 2.2); made for the demo and the tests only.
create table projects (
    id               integer primary key,
    name             text,
    project_group_id integer,
    full_address     text,
    is_actived       boolean,
    is_lease_up      boolean
);

create table project_rent_roll_units (
    id                 integer primary key,
    project_id         integer references projects on update cascade on delete cascade,
    unit_code          text,
    building           text,
    floor              integer,
    floorplan          text,
    type               text,
    rentroll_status_id integer,
    rentroll_status    text,
    when_available     text,
    price              double precision,
    price_amortized    double precision,
    size               integer,
    bedrooms           double precision,
    bathrooms          double precision,
    dens               integer,
    dwelling_type      text,
    exposure           text,
    view               text,
    has_garage         boolean,
    pets               integer,
    parking_stalls     integer,
    storage_boxes      integer,
    lead_first_name    text,
    lead_last_name     text
);
create index on project_rent_roll_units (project_id);

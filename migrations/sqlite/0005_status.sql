-- Places in the status lists that are published for whoever verifies tokens without asking: numbers that
-- are given out once and never again. A grant has one; a client has many in a row, for its own tokens.

create table status_places (
    id   integer not null primary key,
    next integer not null
) strict;

alter table refresh_families add column status_place integer;

alter table clients add column first_status_place integer;

-- What is revoked: so many places from the first on, by the entry of the revocation set that tells nodes.
create table revoked_places (
    first         integer not null primary key,
    count         integer not null,
    revocation_id text   not null,
    until         integer not null
) strict;

create index revoked_places_of_revocation on revoked_places (revocation_id);
create index revoked_places_by_end on revoked_places (until);

update clients set first_status_place = 4096 * (
    select count(*) from clients as earlier where earlier.id < clients.id
);

insert into status_places (id, next) select 1, 4096 * count(*) from clients;

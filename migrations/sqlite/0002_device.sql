-- Devices that ask to be let in. The user code is kept as a message authentication code: eight letters
-- could be found from a plain hash. There is no foreign key to clients, as with codes.
create table device_requests (
    id          text    not null primary key,
    secret_hash blob    not null,
    user_code   blob    not null unique,
    client_id   text    not null,
    scope       text    not null,
    resources   text    not null,
    address     text    not null,
    user_agent  text    not null,
    pace        integer not null,
    polled_at   integer,
    created_at  integer not null,
    expires_at  integer not null,
    user_id     text    references users (id) on delete cascade,
    session_id  text,
    auth_time   integer,
    acr         text,
    amr         text,
    denied_at   integer,
    spent_at    integer
) strict;

create index device_requests_of_client on device_requests (client_id, expires_at);
create index device_requests_of_user on device_requests (user_id);
create index device_requests_of_session on device_requests (session_id);
create index device_requests_by_expiry on device_requests (expires_at);

-- How many user codes somebody has typed that were none, since when.
create table wrong_user_codes (
    user_id text    not null primary key references users (id) on delete cascade,
    entries integer not null,
    since   integer not null
) strict;

create index wrong_user_codes_by_time on wrong_user_codes (since);

-- Times are whole seconds since 1970 (UTC), identifiers and enumerations are text, lists and objects
-- are JSON kept as text and never queried into. Secrets are hashes or sealed. What is listed in order
-- has the collation "C", so that the order is the same on both engines.

-- Applications that ask for tokens. The revision counts changes, here and of people: whoever changes a
-- row says which one they have read.
create table clients (
    id                        text    collate "C" not null primary key,
    name                      text    not null,
    auth_method               text    not null,
    secret                    bytea,
    previous_secret           bytea,
    previous_secret_until     bigint,
    key_set                   text,
    redirect_uris             text    not null,
    post_logout_redirect_uris text    not null,
    grants                    text    not null,
    scope                     text    not null,
    first_party               boolean not null,
    pkce_required             boolean not null,
    id_token_algorithm        text    not null,
    policy_uri                text,
    tos_uri                   text,
    disabled_at               bigint,
    revision                  bigint  not null,
    created_at                bigint  not null,
    updated_at                bigint  not null
);

-- People.
create table users (
    id             text    not null primary key,
    username       text    collate "C" not null unique,
    email          text    unique,
    email_verified boolean not null,
    profile        text    not null,
    roles          text    not null,
    password       text,
    disabled_at    bigint,
    revision       bigint  not null,
    created_at     bigint  not null,
    updated_at     bigint  not null
);

-- Browsers in which somebody is signed in.
create table sessions (
    id          text    not null primary key,
    secret_hash bytea   not null,
    user_id     text    not null references users (id) on delete cascade,
    auth_time   bigint  not null,
    acr         text    not null,
    amr         text    not null,
    seen_at     bigint  not null,
    expires_at  bigint  not null,
    ended_at    bigint,
    user_agent  text    not null
);

create index sessions_of_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);
create index sessions_by_end on sessions (ended_at) where ended_at is not null;

-- What people have allowed clients.
create table consents (
    user_id    text    not null references users (id) on delete cascade,
    client_id  text    not null references clients (id) on delete cascade,
    scope      text    not null,
    apis       text    not null,
    claims     text    not null,
    granted_at bigint  not null,
    primary key (user_id, client_id)
);

create index consents_of_client on consents (client_id);

-- Authorization codes; a spent one is kept for a day, so that a second use is recognised.
--
-- There is no foreign key to clients here or in refresh_families: every insert would lock the row of
-- the client, and all codes of a busy client would queue up at it. Deleting a client deletes both.
create table codes (
    id           text    not null primary key,
    secret_hash  bytea   not null,
    client_id    text    not null,
    user_id      text    not null references users (id) on delete cascade,
    session_id   text    not null,
    auth_time    bigint  not null,
    acr          text    not null,
    amr          text    not null,
    scope        text    not null,
    resources    text    not null,
    claims       text    not null,
    redirect_uri text,
    challenge    text,
    nonce        text,
    expires_at   bigint  not null,
    family_id    text,
    spent_at     bigint
);

create index codes_of_client on codes (client_id);
create index codes_of_user on codes (user_id);
create index codes_of_session on codes (session_id);
create index codes_by_expiry on codes (expires_at);

-- One row for a grant, however often it is refreshed.
--
-- sweep_at is when the row may be forgotten: at a midnight, a day or two after its death. It is coarse
-- on purpose: a refresh moves idle_until every time, but touches this column's index once a day at most,
-- and with room left in its page a new version of the row touches no index at all.
create table refresh_families (
    id         text    not null primary key,
    client_id  text    not null,
    user_id    text    not null references users (id) on delete cascade,
    session_id text    not null,
    auth_time  bigint  not null,
    acr        text    not null,
    amr        text    not null,
    scope      text    not null,
    offline    boolean not null,
    resources  text    not null,
    claims     text    not null,
    generation bigint  not null,
    rotated_at bigint  not null,
    idle_until bigint  not null,
    expires_at bigint  not null,
    revoked_at bigint,
    sweep_at   bigint  not null generated always as (
        case
            when revoked_at is not null then revoked_at
            when idle_until < expires_at then idle_until
            else expires_at
        end / 86400 * 86400 + 172800
    ) stored
) with (fillfactor = 80);

create index refresh_families_of_client on refresh_families (client_id);
create index refresh_families_of_user on refresh_families (user_id);
create index refresh_families_of_session on refresh_families (session_id);
create index refresh_families_by_sweep on refresh_families (sweep_at);

-- Protected APIs. The canonical form is the one that all spellings of an identifier share.
create table resources (
    id         text    collate "C" not null primary key,
    canonical  text    not null unique,
    name       text    not null,
    scope      text    not null,
    client_id  text    references clients (id) on delete set null,
    algorithm  text    not null,
    created_at bigint  not null,
    updated_at bigint  not null
);

create index resources_of_client on resources (client_id);

-- Signing keys and their timetable; the private part is sealed.
create table signing_keys (
    kid          text    not null primary key,
    algorithm    text    collate "C" not null,
    period       bigint  not null,
    announced_at bigint  not null,
    active_at    bigint  not null,
    retired_at   bigint,
    forgotten_at bigint,
    revoked_at   bigint,
    sealed       bytea   not null,
    public_key   text    not null,
    unique (algorithm, period)
);

-- Hashes of the client assertions that were used, until they expire: each works once.
create table assertions (
    hash       bytea   not null primary key,
    expires_at bigint  not null
);

create index assertions_by_expiry on assertions (expires_at);

-- Tokens that are dead before their time, by what they belong to.
create table revocations (
    id    text    not null primary key,
    what  text    not null unique,
    at    bigint  not null,
    until bigint  not null
);

create index revocations_by_end on revocations (until);

-- Notes that something which nodes keep in memory has changed. Identifiers are never used again, so
-- that a node can remember which notes it has seen.
create table changes (
    id   bigint  not null generated always as identity primary key,
    what text    not null,
    at   bigint  not null
);

create index changes_by_time on changes (at);

-- API keys of people and of clients: exactly one of the two owns a key.
create table api_keys (
    id                    text    not null primary key,
    name                  text    not null,
    user_id               text    references users (id) on delete cascade,
    client_id             text    references clients (id) on delete cascade,
    secret                bytea   not null,
    previous_secret       bytea,
    previous_secret_until bigint,
    scope                 text    not null,
    addresses             text    not null,
    rate_limit            bigint,
    created_at            bigint  not null,
    expires_at            bigint  not null,
    revoked_at            bigint,
    last_used_at          bigint,
    status_place          bigint
);

create index api_keys_of_user on api_keys (user_id);
create index api_keys_of_client on api_keys (client_id);
create index api_keys_by_expiry on api_keys (expires_at);

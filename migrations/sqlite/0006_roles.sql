-- What people, clients and groups may do at an API. Permissions are JSON: words of the API's own.
create table roles (
    id          text    not null primary key,
    resource_id text    not null references resources (id) on delete cascade,
    name        text    not null,
    description text    not null,
    permissions text    not null,
    created_at  integer not null,
    updated_at  integer not null,
    unique (resource_id, name)
) strict;

-- A role that includes another gives whatever that one gives, at the same API or at another.
create table role_inclusions (
    role_id     text not null references roles (id) on delete cascade,
    included_id text not null references roles (id) on delete cascade,
    primary key (role_id, included_id)
) strict;

create index role_inclusions_of_included on role_inclusions (included_id);

-- How often roles have been changed: whoever reads what somebody was given learns with the same statement
-- whether the roles that it holds in memory are the newest.
create table role_revisions (
    id       integer not null primary key,
    revision integer not null
) strict;

insert into role_revisions (id, revision) values (1, 0);

-- People who are given roles together.
create table user_groups (
    id          text    not null primary key,
    name        text    not null unique,
    description text    not null,
    created_at  integer not null
) strict;

create table group_members (
    user_id  text not null references users (id) on delete cascade,
    group_id text not null references user_groups (id) on delete cascade,
    primary key (user_id, group_id)
) strict;

create index group_members_of_group on group_members (group_id);

-- Who was given which role.
create table user_roles (
    user_id text not null references users (id) on delete cascade,
    role_id text not null references roles (id) on delete cascade,
    primary key (user_id, role_id)
) strict;

create index user_roles_of_role on user_roles (role_id);

create table client_roles (
    client_id text not null references clients (id) on delete cascade,
    role_id   text not null references roles (id) on delete cascade,
    primary key (client_id, role_id)
) strict;

create index client_roles_of_role on client_roles (role_id);

create table group_roles (
    group_id text not null references user_groups (id) on delete cascade,
    role_id  text not null references roles (id) on delete cascade,
    primary key (group_id, role_id)
) strict;

create index group_roles_of_role on group_roles (role_id);

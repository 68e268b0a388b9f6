with sizes as (
    select sqlite_schema.tbl_name as name, sum(dbstat.pgsize) as bytes
    from dbstat join sqlite_schema on sqlite_schema.name = dbstat.name
    group by sqlite_schema.tbl_name
),
counts (name, rows) as (
    select 'api_keys', count(*) from api_keys
    union all select 'assertions', count(*) from assertions
    union all select 'changes', count(*) from changes
    union all select 'client_roles', count(*) from client_roles
    union all select 'clients', count(*) from clients
    union all select 'codes', count(*) from codes
    union all select 'consents', count(*) from consents
    union all select 'device_requests', count(*) from device_requests
    union all select 'group_members', count(*) from group_members
    union all select 'group_roles', count(*) from group_roles
    union all select 'proofs', count(*) from proofs
    union all select 'refresh_families', count(*) from refresh_families
    union all select 'resources', count(*) from resources
    union all select 'revocations', count(*) from revocations
    union all select 'revoked_places', count(*) from revoked_places
    union all select 'role_inclusions', count(*) from role_inclusions
    union all select 'role_revisions', count(*) from role_revisions
    union all select 'roles', count(*) from roles
    union all select 'sessions', count(*) from sessions
    union all select 'signing_keys', count(*) from signing_keys
    union all select 'status_places', count(*) from status_places
    union all select 'user_groups', count(*) from user_groups
    union all select 'user_roles', count(*) from user_roles
    union all select 'users', count(*) from users
    union all select 'wrong_user_codes', count(*) from wrong_user_codes
)
select counts.name, counts.rows, sizes.bytes
from counts join sizes on sizes.name = counts.name
order by counts.name

select
    f.id, f.client_id, f.user_id, f.session_id, f.auth_time, f.acr, f.amr, f.scope, f.resources,
    f.claims, f.jkt, f.generation, f.rotated_at, f.idle_until, f.expires_at, f.revoked_at,
    f.status_place,
    u.username, u.email, u.email_verified, u.profile, u.roles, u.password, u.disabled_at,
    u.revision, u.created_at, u.updated_at
from json_each($1) as asked
join refresh_families as f on f.id = asked.value
join users as u on u.id = f.user_id

with asked as (
    select
        value ->> 0 as id, value ->> 1 as generation, value ->> 2 as at, value ->> 3 as idle_until,
        value ->> 4 as place_before, value ->> 5 as place
    from json_each($1)
)
update refresh_families set
    generation = refresh_families.generation + 1, rotated_at = asked.at,
    idle_until = asked.idle_until, status_place = asked.place
from asked
where refresh_families.id = asked.id and refresh_families.generation = asked.generation
    and revoked_at is null
    and refresh_families.idle_until > asked.at and expires_at > asked.at
    and status_place is asked.place_before
returning id, generation - 1

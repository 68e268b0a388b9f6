select revision, null as user_id, null as role_id from role_revisions where id = 1
union all
select null, user_roles.user_id, user_roles.role_id
from json_each($1) as asked join user_roles on user_roles.user_id = asked.value
union all
select null, group_members.user_id, group_roles.role_id
from json_each($1) as asked
join group_members on group_members.user_id = asked.value
join group_roles on group_roles.group_id = group_members.group_id

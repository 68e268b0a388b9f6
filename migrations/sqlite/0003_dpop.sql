-- Hashes of the proofs of possession that were used, until nobody accepts them any more: each works once.
create table proofs (
    hash  blob    not null primary key,
    until integer not null
) strict;

create index proofs_by_end on proofs (until);

-- The thumbprint of the key whose holder alone may use it.
alter table codes add column jkt text;
alter table refresh_families add column jkt text;

-- Whether a client must prove to hold a key whenever it asks for tokens.
alter table clients add column dpop_bound integer not null default 0;

-- What each external service has of each account's profile, and the requests that a bridge has answered.

create table restante.sync_target (
  name text primary key check (name ~ '^[a-z][a-z0-9_-]{0,31}$'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create trigger sync_target_touch before update on restante.sync_target
  for each row execute function restante.touch();

-- next_attempt: from when on there is something to do; null: nothing until the profile changes. A bridge claims a row
-- by moving next_attempt to the end of its lease, so that what a killed bridge had claimed is done by another.
create table restante.profile_sync (
  target text not null references restante.sync_target,
  account_id bigint not null references restante.account,
  state text not null default 'waiting' check (state in ('waiting', 'synced', 'parked', 'gone')),
  synced_version bigint not null default 0,
  synced_hash bytea,        -- of what the service was given last
  remote text not null default 'unknown' check (remote in ('unknown', 'active', 'deactivated', 'deleted')),
  attempts integer not null default 0,
  next_attempt timestamptz,
  claimed_by text,
  claimed_until timestamptz,
  error text,
  synced_at timestamptz,
  waiting_since timestamptz,  -- the oldest change that is not synced
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (target, account_id)
) with (fillfactor = 70);
create index profile_sync_due on restante.profile_sync (target, next_attempt) where next_attempt is not null;
create trigger profile_sync_touch before update on restante.profile_sync
  for each row execute function restante.touch();

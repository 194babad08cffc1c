-- What each external service has of each account's profile, the requests that a bridge has answered, and what bridges
-- say of themselves.

-- `added_in`: the transaction that made it. Transactions that ran beside it could not see the target, and may have made
-- accounts for which it has no row; `complete` once they have all ended and none is missing.
create table restante.sync_target (
  name text primary key check (name ~ '^[a-z][a-z0-9_-]{0,31}$'),
  added_in xid8 not null default pg_current_xact_id(),
  complete boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create trigger sync_target_touch before update on restante.sync_target
  for each row execute function restante.touch();

-- next_attempt: from when on there is something to do; null: nothing until the profile changes. A bridge claims a row
-- by moving next_attempt to the end of its lease, so that what a killed bridge had claimed is done by another. No lock
-- outlives the statement that claims, so a change of the profile never waits for a request in flight.
-- No foreign keys: rows are made by the functions here alone, neither targets nor accounts are ever deleted, and adding
-- a target for a million accounts would take thrice as long.
create table restante.profile_sync (
  target text not null,
  account_id bigint not null,
  state text not null default 'waiting' check (state in ('waiting', 'synced', 'parked', 'gone')),
  synced_version bigint not null default 0,
  synced_hash bytea,        -- of what the service was given last
  remote text not null default 'unknown' check (remote in ('unknown', 'active', 'deactivated', 'deleted')),
  attempts integer not null default 0,
  next_attempt timestamptz default now(),
  claimed_by text,  -- empty: nobody who could give it back any more
  claimed_until timestamptz,
  error text,
  synced_at timestamptz,
  waiting_since timestamptz default now(),  -- the oldest change that is not synced
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (target, account_id),
  check ((state = 'waiting') = (next_attempt is not null))
) with (fillfactor = 70);
create index profile_sync_due on restante.profile_sync (target, next_attempt) where next_attempt is not null;
create index profile_sync_refused on restante.profile_sync (target, state) where state in ('parked', 'gone');
create trigger profile_sync_touch before update on restante.profile_sync
  for each row execute function restante.touch();

-- A change of a profile makes it due for every service that still takes it. Rows that are claimed stay so: they are due
-- when the claim is given back or its lease ends.
create function restante.make_profile_due() returns trigger
language plpgsql security definer set search_path = restante, pg_temp set jit = off as $$
declare
  touched bigint;
begin
  if tg_op = 'INSERT' then
    insert into restante.profile_sync (target, account_id)
      select t.name, n.account_id from new_rows n cross join restante.sync_target t order by n.account_id, t.name
      on conflict do nothing;
  else
    insert into restante.profile_sync as s (target, account_id)
      select t.name, n.account_id
      from new_rows n join old_rows o on o.account_id = n.account_id and o.version <> n.version
      cross join restante.sync_target t
      order by n.account_id, t.name
      on conflict (target, account_id) do update set
        state = 'waiting', attempts = 0, next_attempt = greatest(now(), s.claimed_until),
        waiting_since = coalesce(s.waiting_since, now())
      where s.state <> 'gone';
  end if;
  get diagnostics touched = row_count;
  if touched > 0 then perform pg_notify('restante_profile', ''); end if;
  return null;
end $$;
create trigger profile_due_insert after insert on restante.profile
  referencing new table as new_rows for each statement execute function restante.make_profile_due();
create trigger profile_due_update after update on restante.profile
  referencing old table as old_rows new table as new_rows
  for each statement execute function restante.make_profile_due();

-- Makes the target known and gives it a row for each account. Harmless when repeated, and to be repeated until it
-- returns true: then no account is missing, nor will be.
create function restante.add_sync_target(target text) returns boolean
language plpgsql security definer set search_path = restante, pg_temp set jit = off as $$
declare
  known record;
  alone boolean;
begin
  insert into restante.sync_target (name) values (target) on conflict do nothing;
  select t.added_in, t.complete into known from restante.sync_target t where t.name = target;
  if known.complete then return true; end if;
  alone := known.added_in < pg_snapshot_xmin(pg_current_snapshot());
  insert into restante.profile_sync (target, account_id)
    select add_sync_target.target, p.account_id from restante.profile p
    where not exists (select from restante.profile_sync s
                      where s.target = add_sync_target.target and s.account_id = p.account_id)
    on conflict do nothing;
  if found then perform pg_notify('restante_profile', ''); end if;
  if alone then update restante.sync_target t set complete = true where t.name = target; end if;
  return alone;
end $$;

-- What claims and settles is held to its indexes, whatever statistics there are: a queue's are always old. Nothing here
-- is worth compiling: jit made a claim of 100 take 18 ms instead of 2.

-- Leases at most max_rows accounts that are due, those that wait longest first, with all that is to be known of them.
-- In doubt: the last claim was never given back, so nobody knows what the service was sent since.
create function restante.claim_profiles(target text, claimer text, lease interval, max_rows integer)
returns table (account_id bigint, account text, status text, display_name text, image_url text, language text,
               role text, teams text, custom text, version bigint, remote text, in_doubt boolean,
               synced_hash bytea, attempts integer)
language sql security definer set search_path = restante, pg_temp
  set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  -- A crash of PostgreSQL may forget it: then the rows are due as they were.
  select set_config('synchronous_commit', 'off', true);
  with due as materialized (
    select s.account_id, s.claimed_by is not null as in_doubt from restante.profile_sync s
    where s.target = $1 and s.next_attempt <= now()
    order by s.next_attempt limit $4 for update skip locked
  ), claimed as (
    update restante.profile_sync s
    set claimed_by = $2, claimed_until = now() + $3, next_attempt = now() + $3
    from due where s.target = $1 and s.account_id = due.account_id
    returning s.account_id, s.remote, due.in_doubt, case when not due.in_doubt then s.synced_hash end as synced_hash,
      s.attempts
  )
  select c.account_id, a.name::text, a.status, p.display_name, p.image_url, p.language, p.role,
         array_to_json(p.teams)::text, p.custom::text, p.version, c.remote, c.in_doubt, c.synced_hash,
         c.attempts
  from claimed c
  join restante.account a on a.id = c.account_id
  join restante.profile p on p.account_id = c.account_id
$$;

-- Gives claims back with what became of them, element by element; how many were. Rows that another has claimed since
-- are left alone, and so are those that somebody's open transaction is changing: they will be due by that change, or
-- when the lease ends. A version newer than the one tried is due at once, as a new change.
create function restante.settle_profiles(target text, claimer text, account_ids bigint[], versions bigint[],
                                         results text[], remotes text[], hashes bytea[], errors text[],
                                         delays_ms bigint[])
returns bigint language plpgsql security definer set search_path = restante, pg_temp
  set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  locked bigint[];
  given_back bigint;
begin
  -- A crash of PostgreSQL may forget it: then the claim ends in doubt, and what was done is done again.
  perform set_config('synchronous_commit', 'off', true);
  -- By a statement of its own: the next one then sees each change whose transaction ended before we had the lock, and
  -- those that end later wait for us. By one statement, a change that ended in between was taken for synced.
  select array_agg(l.account_id) into locked from (
    select s.account_id from unnest($3) o (account_id)
    join restante.profile_sync s on s.target = $1 and s.account_id = o.account_id
    where s.claimed_by = $2
    order by o.account_id for update of s skip locked) l;
  with judged as materialized (
    select o.*, p.version > o.version as newer, p.updated_at as changed_at
    from unnest($3, $4, $5, $6, $7, $8, $9) as o (account_id, version, result, remote, hash, error, delay_ms)
    join restante.profile p on p.account_id = o.account_id
    where (o.account_id in (select unnest(locked))) is true  -- so written, a hash is made of it
  ), settled as (
    update restante.profile_sync s set
      state = case when j.result = 'gone' then 'gone'
                   when j.newer or j.result in ('again', 'released') then 'waiting'
                   else j.result end,
      synced_version = case when j.result = 'synced' then j.version else s.synced_version end,
      synced_hash = nullif(j.hash, ''),
      synced_at = case when j.result = 'synced' then now() else s.synced_at end,
      remote = j.remote,
      attempts = case when j.result in ('synced', 'gone') or j.newer then 0
                      when j.result = 'released' then s.attempts
                      else s.attempts + 1 end,
      error = case when j.result = 'synced' then null
                   else coalesce(nullif(j.error, ''), s.error) end,
      next_attempt = case when j.result = 'gone' then null
                          when j.newer then now()
                          when j.result in ('again', 'released') then now() + j.delay_ms * interval '1 millisecond' end,
      waiting_since = case when j.result = 'gone' or (j.result = 'synced' and not j.newer) then null
                           when j.result = 'synced' then j.changed_at
                           else s.waiting_since end,
      claimed_by = null, claimed_until = null
    from judged j where s.target = $1 and s.account_id = j.account_id
    returning 1
  )
  select count(*) into given_back from settled;
  return given_back;
end $$;

-- In how many milliseconds the next row will be due that is not yet; null: none.
create function restante.next_profile_due_ms(target text) returns bigint
language sql stable security definer set search_path = restante, pg_temp set jit = off as $$
  select ceil(extract(epoch from s.next_attempt - now()) * 1000)::bigint from restante.profile_sync s
  where s.target = $1 and s.next_attempt > now() order by s.next_attempt limit 1
$$;

-- For operators: at most max_rows accounts after that id are due again, as if nobody knew what the service has of them;
-- the last of them, null when there is none. What is gone stays so.
create function restante.sync_again(target text, after bigint, max_rows integer) returns bigint
language plpgsql security definer set search_path = restante, pg_temp set jit = off as $$
declare
  reached bigint;
begin
  with chosen as materialized (
    select s.account_id, s.state from restante.profile_sync s
    where s.target = sync_again.target and s.account_id > after
    order by s.account_id limit max_rows for update
  ), made_due as (
    update restante.profile_sync s
    set state = 'waiting', attempts = 0, error = null, synced_hash = null,
        claimed_by = case when s.claimed_by is not null then '' end,
        next_attempt = greatest(now(), s.claimed_until), waiting_since = coalesce(s.waiting_since, now())
    from chosen c where s.target = sync_again.target and s.account_id = c.account_id and c.state <> 'gone'
  )
  select max(c.account_id) into reached from chosen c;
  if reached is not null then perform pg_notify('restante_profile', ''); end if;
  return reached;
end $$;

-- For operators: one account is due again at every service; a row for each target: whether it is, or it is gone there.
create function restante.retry_profile(account_id bigint) returns table (target text, state text)
language plpgsql security definer set search_path = restante, pg_temp set jit = off as $$
begin
  update restante.profile_sync s
  set state = 'waiting', attempts = 0, error = null, synced_hash = null,
        claimed_by = case when s.claimed_by is not null then '' end,
      next_attempt = greatest(now(), s.claimed_until), waiting_since = coalesce(s.waiting_since, now())
  where s.account_id = retry_profile.account_id and s.state <> 'gone';
  if found then perform pg_notify('restante_profile', ''); end if;
  return query select s.target, s.state from restante.profile_sync s
    where s.account_id = retry_profile.account_id order by s.target;
end $$;

-- How many wait (claimed ones too), since when the oldest does, how many are parked and gone. Cheap however many are
-- synced.
create function restante.sync_backlog(target text)
returns table (waiting bigint, oldest_waiting_seconds double precision, parked bigint, gone bigint)
language sql stable security definer set search_path = restante, pg_temp set jit = off as $$
  select w.waiting, w.oldest, r.parked, r.gone
  from (select count(*) as waiting,
               coalesce(greatest(0, extract(epoch from now() - min(s.waiting_since))), 0)::double precision as oldest
        from restante.profile_sync s where s.target = $1 and s.next_attempt is not null) w,
       (select count(*) filter (where s.state = 'parked') as parked,
               count(*) filter (where s.state = 'gone') as gone
        from restante.profile_sync s where s.target = $1 and s.state in ('parked', 'gone')) r
$$;

-- Requests that changed a profile, and what was answered: the same request again changes nothing and is answered so.
-- Kept longer than a request may wait for a bridge, then pruned; accounts are held to the broker's publish_rate.
create table restante.answered_request (
  account_id bigint not null references restante.account,
  request_id text not null check (length(request_id) between 1 and 64),
  service text not null,
  version bigint not null,  -- of the profile, as answered
  created_at timestamptz not null default now(),
  primary key (account_id, request_id)
);
create index answered_request_age on restante.answered_request (created_at);

-- Changes what an account says of itself, unless this request did so before: each field with sets_… to what is given,
-- which may be null. `refusal`: null, or 'unknown', 'blocked', 'deleted'. What is the operator's (role, teams) stays.
create function restante.change_profile(account text, request_id text, service text, sets_name boolean,
                                        display_name text, sets_image boolean, image_url text, sets_language boolean,
                                        language text, sets_custom boolean, custom text)
returns table (version bigint, repeated boolean, refusal text)
language plpgsql security definer set search_path = restante, pg_temp set jit = off as $$
#variable_conflict use_column
declare
  found_id bigint;
  found_status text;
  raised bigint;
begin
  -- Also keeps two of this account's requests one after the other.
  select a.id, a.status into found_id, found_status from restante.account a
    where a.name = change_profile.account for no key update;
  if found_id is null or found_status <> 'active' then
    return query select 0::bigint, false,
      case when found_id is null then 'unknown' else found_status end;
    return;
  end if;
  select r.version into raised from restante.answered_request r
    where r.account_id = found_id and r.request_id = change_profile.request_id;
  if found then
    return query select raised, true, null::text;
    return;
  end if;
  update restante.profile p
  set display_name = case when sets_name then change_profile.display_name else p.display_name end,
      image_url = case when sets_image then change_profile.image_url else p.image_url end,
      language = case when sets_language then change_profile.language else p.language end,
      custom = case when sets_custom then coalesce(change_profile.custom, '{}')::jsonb else p.custom end
  where p.account_id = found_id
  returning p.version into raised;
  insert into restante.answered_request (account_id, request_id, service, version)
    values (found_id, change_profile.request_id, change_profile.service, raised);
  return query select raised, false, null::text;
end $$;

-- At most max_rows answers older than that; how many there were.
create function restante.prune_answers(kept interval, max_rows integer) returns bigint
language sql security definer set search_path = restante, pg_temp set jit = off as $$
  with pruned as (
    delete from restante.answered_request where (account_id, request_id) in (
      select r.account_id, r.request_id from restante.answered_request r
      where r.created_at < now() - $1 order by r.created_at limit $2)
    returning 1)
  select count(*) from pruned
$$;

-- What each bridge last said of itself, and of each service as it sees it.
create table restante.bridge (
  name text primary key check (length(name) between 1 and 64),
  version text not null,
  mqtt_connected boolean,  -- null: it serves no requests
  started_at timestamptz not null,
  reported_at timestamptz not null default now()
);
create table restante.bridge_target (
  bridge text not null references restante.bridge on delete cascade,
  target text not null references restante.sync_target,
  available boolean not null,
  error text,
  primary key (bridge, target)
);

create function restante.report_bridge(bridge text, version text, mqtt_connected boolean, running_ms bigint,
                                       targets text[], available smallint[], errors text[])
returns void language plpgsql security definer set search_path = restante, pg_temp set jit = off as $$
begin
  insert into restante.bridge as b (name, version, mqtt_connected, started_at)
    values (bridge, report_bridge.version, report_bridge.mqtt_connected,
            now() - running_ms * interval '1 millisecond')
    on conflict (name) do update set version = excluded.version, mqtt_connected = excluded.mqtt_connected,
      started_at = excluded.started_at, reported_at = now();
  delete from restante.bridge_target t where t.bridge = report_bridge.bridge and t.target <> all (targets);
  insert into restante.bridge_target as t (bridge, target, available, error)
    select report_bridge.bridge, r.target, r.available <> 0, nullif(r.error, '')
    from unnest(targets, report_bridge.available, errors) r (target, available, error)
    join restante.sync_target known on known.name = r.target  -- a bridge that has only begun made none yet
    on conflict on constraint bridge_target_pkey do update
      set available = excluded.available, error = excluded.error;
  delete from restante.bridge b where b.reported_at < now() - interval '30 days';
end $$;

-- The bridge's role does its work by these functions alone: of the database it sees profiles, and no mail.
revoke update on restante.profile from restante_bridge;
revoke execute on function restante.make_profile_due(), restante.add_sync_target(text),
  restante.claim_profiles(text, text, interval, integer),
  restante.settle_profiles(text, text, bigint[], bigint[], text[], text[], bytea[], text[], bigint[]),
  restante.next_profile_due_ms(text), restante.sync_again(text, bigint, integer), restante.retry_profile(bigint),
  restante.sync_backlog(text),
  restante.change_profile(text, text, text, boolean, text, boolean, text, boolean, text, boolean, text),
  restante.prune_answers(interval, integer),
  restante.report_bridge(text, text, boolean, bigint, text[], smallint[], text[]) from public;
grant execute on function restante.add_sync_target(text),
  restante.claim_profiles(text, text, interval, integer),
  restante.settle_profiles(text, text, bigint[], bigint[], text[], text[], bytea[], text[], bigint[]),
  restante.next_profile_due_ms(text), restante.sync_backlog(text),
  restante.change_profile(text, text, text, boolean, text, boolean, text, boolean, text, boolean, text),
  restante.prune_answers(interval, integer),
  restante.report_bridge(text, text, boolean, bigint, text[], smallint[], text[]) to restante_bridge;

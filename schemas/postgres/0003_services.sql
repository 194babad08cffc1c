-- Services: which account answers requests on service/{name}/…; and profiles that know how often they changed.

create table restante.service (
  name restante.name primary key,
  account_id bigint not null references restante.account,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index service_name on restante.service (lower(name));
create index service_account on restante.service (account_id);
create trigger service_touch before update on restante.service for each row execute function restante.touch();
create trigger service_keep_name before update of name on restante.service
  for each row when (new.name is distinct from old.name) execute function restante.refuse_rename();

-- In force within a second, like all that the directory says.
create trigger service_log_insert after insert on restante.service
  referencing new table as new_rows for each statement
  execute function restante.log_change('account_id, null::bigint');
create trigger service_log_update after update on restante.service
  referencing old table as old_rows new table as new_rows for each statement
  execute function restante.log_change('account_id, null::bigint');
create trigger service_log_delete after delete on restante.service
  referencing old table as old_rows for each statement
  execute function restante.log_change('account_id, null::bigint');

-- Requests that wait go with their service: to the account that it is granted now, or to the dead letters.
create function restante.move_requests() returns trigger
language plpgsql security definer set search_path = restante, pg_temp as $$
declare
  from_mailbox bigint := (select id from restante.mailbox where account_id = old.account_id and device = '');
begin
  if tg_op = 'UPDATE' then
    update restante.delivery d
    set mailbox_id = (select id from restante.mailbox where account_id = new.account_id and device = '')
    where d.mailbox_id = from_mailbox and starts_with(d.topic, 'service/' || old.name || '/');
  else
    with gone as (
      delete from restante.delivery d
      where d.mailbox_id = from_mailbox and starts_with(d.topic, 'service/' || old.name || '/')
      returning d.*
    )
    insert into restante.dead_letter
      (number, recipient, topic, sender, message_id, payload, qos, properties, reason)
    select g.number, 'service/' || old.name, g.topic, split_part(g.topic, '/', 3), g.message_id, g.payload, g.qos,
           g.properties, 'unknown'
    from gone g
    on conflict (number, recipient) do nothing;
  end if;
  return null;
end $$;
create trigger service_move after update of account_id on restante.service
  for each row when (new.account_id is distinct from old.account_id) execute function restante.move_requests();
create trigger service_revoke after delete on restante.service
  for each row execute function restante.move_requests();

-- As before; and the services of an account that is deleted are granted to nobody.
create or replace function restante.withdraw_account() returns trigger
language plpgsql security definer set search_path = restante, pg_temp as $$
begin
  if new.status = 'deleted' then
    delete from restante.service where account_id = new.id;
  end if;
  delete from restante.delivery where mailbox_id in (select id from restante.mailbox where account_id = new.id);
  if new.status = 'deleted' then
    delete from restante.member where account_id = new.id;
    delete from restante.rule where account_id = new.id;
    delete from restante.block where account_id = new.id or blocked_id = new.id;
  end if;
  return null;
end $$;

-- What an account shows of itself, and (role, teams) what the operator says of it to external services.
alter table restante.profile
  add column language text check (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'),
  add column custom jsonb not null default '{}'
    check (jsonb_typeof(custom) = 'object' and octet_length(custom::text) <= 16384),
  add column role text check (role ~ '^[A-Za-z0-9_-]{1,64}$'),
  add column teams text[] check (cardinality(teams) <= 250),
  add column version bigint not null default 1;

-- The version grows by one with each change, whoever makes it, and by nothing else. A change of the account's status
-- counts: what the world is to see of it has changed.
create function restante.raise_profile_version() returns trigger language plpgsql as $$
begin
  if new.version > old.version
     or (new.display_name, new.image_url, new.language, new.custom, new.role, new.teams)
        is distinct from (old.display_name, old.image_url, old.language, old.custom, old.role, old.teams) then
    new.version := old.version + 1;
  else
    new.version := old.version;
  end if;
  return new;
end $$;
create trigger profile_version before update on restante.profile
  for each row execute function restante.raise_profile_version();

create function restante.raise_version_of_account() returns trigger
language plpgsql security definer set search_path = restante, pg_temp as $$
begin
  update restante.profile set version = version + 1 where account_id = new.id;
  return null;
end $$;
create trigger account_version after update of status on restante.account
  for each row when (new.status is distinct from old.status)
  execute function restante.raise_version_of_account();

-- What an account shows of itself has changed, and nothing that a policy holds. No notification: profiles may change
-- often, and a broker that asks each half second is quick enough.
alter table restante.change add column of_profile boolean not null default false;

create function restante.log_profile_change() returns trigger
language plpgsql security definer set search_path = restante, pg_temp as $$
begin
  insert into restante.change (account_id, of_profile)
  select n.account_id, true from new_rows n join old_rows o using (account_id) where n.version <> o.version;
  return null;
end $$;
create trigger profile_log_update after update on restante.profile
  referencing old table as old_rows new table as new_rows for each statement
  execute function restante.log_profile_change();

-- The topics, as rules. Whose service it is, and whose answer, is judged by the shape of the topic.
insert into restante.rule (effect, action, filter, durable) values
  ('allow', 'publish',   'service/+/%u/+',  true),
  ('allow', 'subscribe', 'service/+/#',     true),
  ('allow', 'publish',   'answer/+/+/+',    true),
  ('allow', 'subscribe', 'answer/%u/#',     true),
  ('allow', 'subscribe', 'profile/+',       true);

revoke execute on function restante.move_requests(), restante.raise_profile_version(),
  restante.raise_version_of_account(), restante.log_profile_change() from public;
grant select on restante.service to restante_broker;

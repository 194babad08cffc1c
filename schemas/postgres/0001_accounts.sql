-- Who there is and who may do what: accounts, groups, membership, rules, blocks, and the log of their changes.

create schema restante;

-- Roles are cluster-wide: another database may have made them already, or may be making them now.
do $$
declare wanted text;
begin
  foreach wanted in array array['restante_broker', 'restante_bridge'] loop
    begin
      execute format('create role %I nologin', wanted);
    exception when duplicate_object or unique_violation then null;
    end;
  end loop;
end $$;

create function restante.touch() returns trigger language plpgsql as $$
begin
  new.created_at := old.created_at;
  new.updated_at := now();
  return new;
end $$;

create function restante.refuse_delete() returns trigger language plpgsql as $$
begin
  raise exception 'names are never used again: set status = ''deleted'' instead of deleting % "%"',
    tg_table_name, old.name;
end $$;

create function restante.refuse_rename() returns trigger language plpgsql as $$
begin
  raise exception 'a name is for good: topics and what waits speak of % "%"', tg_table_name, old.name;
end $$;

-- Names are ASCII, and compared with each message: by their bytes, in whatever language the database is.
create domain restante.name as text collate "C" check (value ~ '^[A-Za-z0-9._@:=-]{1,64}$');

create table restante.account (
  id bigint generated always as identity primary key,
  name restante.name not null,
  status text not null default 'active' check (status in ('active', 'blocked', 'deleted')),
  password_hash text,
  acknowledge text check (acknowledge in ('auto', 'receipt', 'puback', 'handoff')),  -- null: the broker's option
  has_acknowledged boolean not null default false,  -- set by the broker at the first ack or receipt
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index account_name on restante.account (lower(name));
create index account_exact_name on restante.account (name);
-- Few, and looked for with each message that is stored.
create index account_departed on restante.account (id) where status <> 'active';
create trigger account_touch before update on restante.account for each row execute function restante.touch();
create trigger account_keep_name before update of name on restante.account
  for each row when (new.name is distinct from old.name) execute function restante.refuse_rename();
create trigger account_keep before delete on restante.account for each row execute function restante.refuse_delete();

create table restante.profile (
  account_id bigint primary key references restante.account,
  display_name text check (length(display_name) between 1 and 256),
  image_url text check (length(image_url) between 1 and 2048),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create trigger profile_touch before update on restante.profile for each row execute function restante.touch();

-- One mailbox an account today; the key leaves room for one a device.
create table restante.mailbox (
  id bigint generated always as identity primary key,
  account_id bigint not null references restante.account,
  device text not null default '',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (account_id, device)
);
create trigger mailbox_touch before update on restante.mailbox for each row execute function restante.touch();

create function restante.furnish_account() returns trigger
language plpgsql security definer set search_path = restante, pg_temp as $$
begin
  insert into restante.mailbox (account_id) values (new.id);
  insert into restante.profile (account_id) values (new.id);
  return null;
end $$;
create trigger account_furnish after insert on restante.account
  for each row execute function restante.furnish_account();

create table restante.account_group (
  id bigint generated always as identity primary key,
  name restante.name not null,
  status text not null default 'active' check (status in ('active', 'deleted')),
  receipts boolean,  -- null: receipts are passed on while the group has 32 members or fewer
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index account_group_name on restante.account_group (lower(name));
create index account_group_exact_name on restante.account_group (name);
create trigger account_group_touch before update on restante.account_group
  for each row execute function restante.touch();
create trigger account_group_keep_name before update of name on restante.account_group
  for each row when (new.name is distinct from old.name) execute function restante.refuse_rename();
create trigger account_group_keep before delete on restante.account_group
  for each row execute function restante.refuse_delete();

create table restante.member (
  group_id bigint not null references restante.account_group,
  account_id bigint not null references restante.account,
  role text not null default 'member' check (role in ('member', 'admin')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (group_id, account_id)
);
create index member_account on restante.member (account_id);
create trigger member_touch before update on restante.member for each row execute function restante.touch();

-- A rule speaks of one account, one group's members, or (both null) everyone. Deny wins over allow.
-- %u is the account's name, %c its client id, %g each of its groups in turn.
create table restante.rule (
  id bigint generated always as identity primary key,
  account_id bigint references restante.account,
  group_id bigint references restante.account_group,
  effect text not null check (effect in ('allow', 'deny')),
  action text not null check (action in ('publish', 'subscribe')),
  filter text not null check (length(filter) between 1 and 1024),
  durable boolean not null default false,  -- filter moves with the broker's topic_prefix
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (account_id is null or group_id is null)
);
create unique index rule_once on restante.rule
  (coalesce(account_id, 0), coalesce(group_id, 0), effect, action, filter, durable);
create trigger rule_touch before update on restante.rule for each row execute function restante.touch();

create table restante.block (
  account_id bigint not null references restante.account,
  blocked_id bigint not null references restante.account,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, blocked_id),
  check (account_id <> blocked_id)
);
create trigger block_touch before update on restante.block for each row execute function restante.touch();

-- What changed, for brokers that hold policies in memory. Read by snapshot, so that rows of transactions which
-- commit late are not passed over; a notification only makes it quicker. Both ids null: everyone.
create table restante.change (
  number bigint generated always as identity primary key,
  transaction xid8 not null default pg_current_xact_id(),
  account_id bigint,
  group_id bigint,
  changed_at timestamptz not null default now()
);
create index change_transaction on restante.change (transaction);

create function restante.log_change() returns trigger
language plpgsql security definer set search_path = restante, pg_temp as $$
begin
  if tg_op in ('INSERT', 'UPDATE') then
    execute format('insert into restante.change (account_id, group_id) select distinct %s from new_rows', tg_argv[0]);
  end if;
  if tg_op in ('UPDATE', 'DELETE') then
    execute format('insert into restante.change (account_id, group_id) select distinct %s from old_rows', tg_argv[0]);
  end if;
  perform pg_notify('restante_change', '');
  return null;
end $$;

do $$
declare
  logged record;
begin
  for logged in values
      ('account', 'id, null::bigint'), ('account_group', 'null::bigint, id'), ('member', 'account_id, group_id'),
      ('rule', 'account_id, group_id'), ('block', 'account_id, null::bigint') loop
    execute format('create trigger %1$s_log_insert after insert on restante.%1$I
      referencing new table as new_rows for each statement execute function restante.log_change(%2$L)',
      logged.column1, logged.column2);
    execute format('create trigger %1$s_log_update after update on restante.%1$I
      referencing old table as old_rows new table as new_rows
      for each statement execute function restante.log_change(%2$L)', logged.column1, logged.column2);
    execute format('create trigger %1$s_log_delete after delete on restante.%1$I
      referencing old table as old_rows for each statement execute function restante.log_change(%2$L)',
      logged.column1, logged.column2);
  end loop;
end $$;

-- The durable topics, as rules.
insert into restante.rule (effect, action, filter, durable) values
  ('allow', 'publish',   'direct/+/%u/+',   true),
  ('allow', 'subscribe', 'direct/%u/#',     true),
  ('allow', 'publish',   'group/%g/%u/+',   true),
  ('allow', 'subscribe', 'group/%g/#',      true),
  ('allow', 'publish',   'ack/%u',          true),
  ('allow', 'publish',   'receipt/+/%u/+',  true),
  ('allow', 'subscribe', 'receipt/%u/#',    true);

grant usage on schema restante to restante_broker, restante_bridge;
grant select on restante.account, restante.profile, restante.mailbox, restante.account_group, restante.member,
  restante.rule, restante.block, restante.change to restante_broker;
grant update (has_acknowledged) on restante.account to restante_broker;
grant select (id, name, status) on restante.account to restante_bridge;
grant select, update on restante.profile to restante_bridge;

-- The mail: messages, deliveries, dead letters; partitions that come and go by day.
--
-- A message is known by its number: microseconds since 1970 at which the broker accepted it, strictly growing.
-- A single recipient's message stands whole in `delivery`. A group's body stands once in `message`, and its
-- deliveries have a null topic and payload.

create table restante.delivery (
  mailbox_id bigint not null,
  number bigint not null,
  topic text,
  sender_id bigint,
  message_id text,
  payload bytea,
  qos smallint,
  properties bytea,   -- MQTT 5 properties as they stand on the wire
  expires_at bigint,  -- microseconds since 1970; null: with its day
  primary key (mailbox_id, number)
) partition by range (number);
create index delivery_expiry on restante.delivery (expires_at) where expires_at is not null;
-- A waiting receipt is found by its topic, to be replaced by a later one.
create index delivery_receipt on restante.delivery (mailbox_id, topic) where topic like 'receipt/%';
-- Whether a group's body is still wanted by anybody.
create index delivery_group on restante.delivery (number) where payload is null;

create table restante.message (
  number bigint primary key,
  topic text not null,
  sender_id bigint not null,
  message_id text not null,
  payload bytea not null,
  qos smallint not null,
  properties bytea,
  expires_at bigint
) partition by range (number);
-- Acknowledgements name a message by its sender and id.
create index message_key on restante.message (message_id, sender_id);

-- What could not be delivered: unknown, blocking or departed recipients, what expired, what PostgreSQL refused.
create table restante.dead_letter (
  id bigint generated always as identity primary key,
  number bigint not null,
  recipient text not null,
  topic text not null,
  sender text not null,
  message_id text not null,
  payload bytea,
  qos smallint not null,
  properties bytea,
  reason text not null check (reason in ('unknown', 'departed', 'blocked', 'expired', 'full', 'refused')),
  receipt_at timestamptz,  -- when the sender is to hear `expired`; null: not, or not any more
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (number, recipient)
);
create index dead_letter_receipt on restante.dead_letter (receipt_at) where receipt_at is not null;
create index dead_letter_age on restante.dead_letter (created_at) where receipt_at is null;
create index dead_letter_body on restante.dead_letter (created_at) where receipt_at is not null and payload is not null;
create trigger dead_letter_touch before update on restante.dead_letter
  for each row execute function restante.touch();

-- Days whose partitions are detached and on their way to the dead letters: all up to this place in the order of
-- the key is there.
create table restante.expired_day (
  day date primary key,
  mailbox_id bigint not null default 0,
  number bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create trigger expired_day_touch before update on restante.expired_day
  for each row execute function restante.touch();

-- What the broker last said of itself. One broker to a database: one row.
create table restante.broker (
  only_row boolean primary key default true check (only_row),
  stored_through bigint not null default 0,
  last_batch bigint not null default 0,  -- the broker's name for the last batch that was committed
  sessions bigint not null default 0,
  journal_bytes bigint not null default 0,
  topic_prefix text not null default '',
  version text not null default '',
  never_acknowledged text[] not null default '{}',  -- accounts with a full window and no acknowledgement ever
  started_at timestamptz,
  reported_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create trigger broker_touch before update on restante.broker for each row execute function restante.touch();
insert into restante.broker default values;

create function restante.day_number(day date) returns bigint language sql immutable as
$$ select (extract(epoch from day::timestamp at time zone 'UTC') * 1000000)::bigint $$;

create function restante.number_time(number bigint) returns timestamptz language sql immutable as
$$ select 'epoch'::timestamptz + make_interval(secs => number / 1000000.0) $$;

-- Makes the partitions of the days ahead and detaches those whose every message has outlived `retention`.
-- With `since`, also those from that day on, as far as it has not outlived `retention`: for messages that waited
-- long outside. Returns how many were made and detached. A detach that cannot have its lock within 200 ms is left
-- for the next call. Safe to call at any time and by several at once.
create function restante.restante_roll(retention interval default '30 days', days_ahead integer default 7,
                                       since date default null, out made integer, out detached integer)
language plpgsql security definer set search_path = restante, pg_temp set timezone = 'UTC' as $$
declare
  parent text;
  each date;
  leaf text;
begin
  made := 0;
  detached := 0;
  if not pg_try_advisory_xact_lock(hashtextextended('restante_roll', 0)) then
    return;
  end if;
  perform set_config('lock_timeout', '200ms', true);

  for each in select generate_series(
      least(current_date - 1, case when since is not null then greatest(since, (now() - retention)::date) end),
      current_date + days_ahead, interval '1 day')::date loop
    foreach parent in array array['message', 'delivery'] loop
      leaf := parent || '_' || to_char(each, 'YYYYMMDD');
      continue when to_regclass('restante.' || leaf) is not null;
      execute format('create table restante.%I (like restante.%I including all)', leaf, parent);
      -- What is acknowledged is removed from its day's table, without a look at the others.
      execute format('grant select, delete on restante.%I to restante_broker', leaf);
      execute format('alter table restante.%I attach partition restante.%I for values from (%s) to (%s)',
                     parent, leaf, day_number(each), day_number(each + 1));
      made := made + 1;
    end loop;
  end loop;

  for each in
    select to_date(right(c.relname, 8), 'YYYYMMDD') d
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'restante.delivery'::regclass and c.relname ~ '^delivery_[0-9]{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') + 1 <= now() - retention
      and to_date(right(c.relname, 8), 'YYYYMMDD') < current_date - 1
    order by d
  loop
    begin
      execute format('alter table restante.delivery detach partition restante.%I', 'delivery_' || to_char(each, 'YYYYMMDD'));
      execute format('alter table restante.message detach partition restante.%I', 'message_' || to_char(each, 'YYYYMMDD'));
      insert into expired_day (day) values (each);
      detached := detached + 2;
    exception when lock_not_available then
      exit;
    end;
  end loop;
end $$;

create function restante.passes_receipts(group_name text) returns boolean
language sql stable security definer set search_path = restante, pg_temp as $$
  select coalesce(g.receipts, (select count(*) <= 32 from member m where m.group_id = g.id))
  from account_group g where g.name = group_name and g.status = 'active'
$$;

-- Whether the sender of `topic` is to hear that it expired: never for receipts, for groups as they are set.
create function restante.tells_expiry(topic text) returns boolean
language sql stable security definer set search_path = restante, pg_temp as $$
  select case split_part(topic, '/', 1)
    when 'direct' then true
    when 'group' then coalesce(passes_receipts(split_part(topic, '/', 2)), false)
    else false end
$$;

-- Moves at most `max_rows` expired deliveries to the dead letters: first those with an expiry of their own, then
-- those of detached days. Returns how many were moved. The tables of a day that is over are dropped whole, since
-- to delete a row costs more than to copy it; if somebody still reads them, with the next call.
--
-- Tables here grow and shrink faster than they are analysed, and a plan kept from when they were empty would read
-- them whole for each row. So what is called often only reads an index, and what deletes is planned afresh.
create function restante.restante_expire(max_rows integer default 1000) returns integer
language plpgsql security definer set search_path = restante, pg_temp set timezone = 'UTC' set lock_timeout = '200ms'
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  bury constant text := '
    with taken as (
      %3$s
    ), buried as (
      insert into restante.dead_letter
        (number, recipient, topic, sender, message_id, payload, qos, properties, reason, receipt_at)
      select t.number, a.name, coalesce(t.topic, m.topic), coalesce(s.name, split_part(t.topic, ''/'', 3)),
             coalesce(t.message_id, m.message_id), coalesce(t.payload, m.payload), coalesce(t.qos, m.qos),
             coalesce(t.properties, m.properties), ''expired'',
             case when t.topic like ''direct/%%'' or restante.tells_expiry(coalesce(t.topic, m.topic)) then now() end
      from taken t
      join restante.mailbox b on b.id = t.mailbox_id
      join restante.account a on a.id = b.account_id
      left join restante.%2$I m on m.number = t.number and t.payload is null
      left join restante.account s on s.id = coalesce(t.sender_id, m.sender_id)
      where coalesce(t.topic, m.topic) is not null
      on conflict (number, recipient) do nothing
    )
    select count(*), (array_agg(mailbox_id order by mailbox_id desc, number desc))[1],
           (array_agg(number order by mailbox_id desc, number desc))[1]
    from taken';
  mailboxes bigint[];
  numbers bigint[];
  moved integer := 0;
  more integer;
  last_mailbox bigint;
  last_number bigint;
  gone record;
  suffix text;
begin
  select array_agg(due.mailbox_id), array_agg(due.number) into mailboxes, numbers
  from (
    select d.mailbox_id, d.number from delivery d
    where d.expires_at <= (extract(epoch from clock_timestamp()) * 1000000)::bigint
    order by d.expires_at limit max_rows) due;
  if mailboxes is not null then
    execute format(bury, null, 'message',
      'delete from restante.delivery d using (select * from unnest($1, $2) u(mailbox_id, number)) due
       where d.mailbox_id = due.mailbox_id and d.number = due.number returning d.*')
    into moved using mailboxes, numbers;
  end if;

  for gone in select * from expired_day order by day loop
    exit when moved >= max_rows;
    suffix := to_char(gone.day, 'YYYYMMDD');
    execute format(bury, null, 'message_' || suffix, format(
      'select * from restante.%I d where (d.mailbox_id, d.number) > ($1, $2) order by d.mailbox_id, d.number limit %s',
      'delivery_' || suffix, max_rows - moved))
    into more, last_mailbox, last_number using gone.mailbox_id, gone.number;
    moved := moved + more;
    if more > 0 then
      update expired_day set mailbox_id = last_mailbox, number = last_number where day = gone.day;
    else
      begin
        execute format('drop table restante.%I, restante.%I', 'delivery_' || suffix, 'message_' || suffix);
        delete from expired_day where day = gone.day;
      exception when lock_not_available then null;
      end;
    end if;
  end loop;
  return moved;
end $$;

-- Forgets group bodies without a delivery left, dead letters older than `dead_letter`, and old changes. A dead
-- letter whose sender is still to hear `expired` loses its body and stays until then. Looks at no more than
-- `max_rows` bodies, those after number `after`: call it again with what `swept_through` says until that is null.
create function restante.restante_sweep(dead_letter interval default '1 day', after bigint default 0,
                                        max_rows integer default 1000, out bodies integer, out letters integer,
                                        out swept_through bigint)
language plpgsql security definer set search_path = restante, pg_temp set plan_cache_mode = force_custom_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  unwanted bigint[];
begin
  select array_agg(l.number)
           filter (where not exists (select from delivery d where d.number = l.number and d.payload is null)),
         case when count(*) = max_rows then max(l.number) end
  into unwanted, swept_through
  from (
    select m.number from message m
    where m.number > restante_sweep.after
      and m.number < (extract(epoch from now() - interval '1 minute') * 1000000)::bigint
    order by m.number limit max_rows) l;
  -- Looked at again: a body may have been stored for the second time since, with deliveries.
  delete from message m where m.number = any (unwanted)
    and not exists (select from delivery d where d.number = m.number and d.payload is null);
  get diagnostics bodies = row_count;

  update restante.dead_letter set payload = null where id = any (array(
    select l.id from restante.dead_letter l
    where l.created_at < now() - restante_sweep.dead_letter and l.receipt_at is not null and l.payload is not null
    order by l.created_at limit max_rows));
  delete from restante.dead_letter where id = any (array(
    select l.id from restante.dead_letter l
    where l.created_at < now() - restante_sweep.dead_letter and l.receipt_at is null
    order by l.created_at limit max_rows));
  get diagnostics letters = row_count;
  if restante_sweep.after = 0 then
    delete from restante.change where number = any (array(
      select c.number from restante.change c where c.changed_at < now() - interval '1 hour'
      order by c.number limit 10000));
  end if;
end $$;

-- What waits for an account that is blocked, deleted, or leaves a group is withdrawn.
create function restante.withdraw_account() returns trigger
language plpgsql security definer set search_path = restante, pg_temp as $$
begin
  delete from restante.delivery where mailbox_id in (select id from restante.mailbox where account_id = new.id);
  if new.status = 'deleted' then
    delete from restante.member where account_id = new.id;
    delete from restante.rule where account_id = new.id;
    delete from restante.block where account_id = new.id or blocked_id = new.id;
  end if;
  return null;
end $$;
create trigger account_withdraw after update of status on restante.account
  for each row when (new.status <> 'active' and new.status is distinct from old.status)
  execute function restante.withdraw_account();

create function restante.withdraw_member() returns trigger
language plpgsql security definer set search_path = restante, pg_temp as $$
begin
  delete from restante.delivery d
  using restante.mailbox b, restante.message m, restante.account_group g
  where b.account_id = old.account_id and d.mailbox_id = b.id and d.payload is null and m.number = d.number
    and g.id = old.group_id and starts_with(m.topic, 'group/' || g.name || '/');
  return null;
end $$;
create trigger member_withdraw after delete on restante.member
  for each row execute function restante.withdraw_member();

create function restante.dissolve_group() returns trigger
language plpgsql security definer set search_path = restante, pg_temp as $$
begin
  delete from restante.member where group_id = new.id;
  delete from restante.rule where group_id = new.id;
  return null;
end $$;
create trigger account_group_dissolve after update of status on restante.account_group
  for each row when (new.status = 'deleted' and old.status <> 'deleted')
  execute function restante.dissolve_group();

-- The queue, readable in SQL.
create view restante.waiting as
  select a.name as account, coalesce(d.topic, m.topic) as topic, s.name as sender,
         coalesce(d.message_id, m.message_id) as message_id, restante.number_time(d.number) as accepted_at,
         restante.number_time(d.expires_at) as expires_at, octet_length(coalesce(d.payload, m.payload)) as bytes,
         coalesce(d.qos, m.qos) as qos, d.number
  from restante.delivery d
  join restante.mailbox b on b.id = d.mailbox_id
  join restante.account a on a.id = b.account_id
  left join restante.message m on m.number = d.number and d.payload is null
  left join restante.account s on s.id = coalesce(d.sender_id, m.sender_id);

create view restante.waiting_summary as
  select a.name as account, count(*) as deliveries, restante.number_time(min(d.number)) as oldest_accepted_at
  from restante.delivery d
  join restante.mailbox b on b.id = d.mailbox_id
  join restante.account a on a.id = b.account_id
  group by a.name;

select restante.restante_roll();

revoke execute on all functions in schema restante from public;
grant execute on function restante.restante_roll(interval, integer, date), restante.restante_expire(integer),
  restante.restante_sweep(interval, bigint, integer), restante.passes_receipts(text), restante.tells_expiry(text),
  restante.day_number(date), restante.number_time(bigint) to restante_broker;
grant select, insert, update, delete on restante.message, restante.delivery, restante.dead_letter to restante_broker;
grant select, update on restante.broker to restante_broker;
grant select on restante.waiting, restante.waiting_summary to restante_broker;

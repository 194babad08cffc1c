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

"""A PostgreSQL cluster of the run's own, and the accounts in it."""

import base64
import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from .processes import Failure, Process, children, wait_until

ACCOUNTS = 12_000
GROUP = "everybody"
GROUP_MEMBERS = 100
PASSWORD = "a password of the bench"

# What differs from PostgreSQL's defaults. Everything is synced to disk as it comes from the package.
SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "autovacuum_naptime": "10s",
}


def cheap_hash(password):
    """Mosquitto's own form with one round, so that logins cost no hashing worth speaking of."""
    salt = b"bench-salt-0"
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 1)
    return f"$7$1${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    if not found:
        raise Failure("PostgreSQL's initdb is nowhere below /usr/lib/postgresql")
    return found[-1].parent


class Postgres:
    def __init__(self, folder, restante):
        self.folder = folder / "postgres"
        self.log = folder / "postgres.log"
        self.restante = restante
        self.user = "postgres" if os.geteuid() == 0 else None
        self.programs = programs()
        self.version = subprocess.check_output([self.programs / "postgres", "--version"], text=True).split()[2]
        self._server = None
        self._databases = 0

    def create(self):
        self.folder.mkdir()
        if self.user:
            shutil.chown(self.folder, self.user, self.user)
        command = [self.programs / "initdb", "--pgdata", self.data, "--username=postgres", "--auth=trust",
                   "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
        Process(command, self.log, self.user).finish(60)
        with open(self.data / "postgresql.conf", "a") as configuration:
            configuration.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\n")
            configuration.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
        self.start()
        self.query("postgres", "create role owner login createrole; create role broker login;")
        self._make_template()

    @property
    def data(self):
        return self.folder / "data"

    def start(self):
        self._server = Process([self.programs / "postgres", "-D", self.data], self.log, self.user,
                               death_signal="QUIT", stop_signal=signal.SIGQUIT)  # nothing of it is kept
        ready = self.data / "postmaster.pid"
        wait_until(lambda: not self._server.is_running() or (ready.exists() and "ready" in ready.read_text()),
                   "PostgreSQL starts")
        if not self._server.is_running():
            raise Failure(f"PostgreSQL does not start; {self._server.last_lines()}")

    def stop(self):
        if self._server:
            self._server.stop()

    def kill(self):
        """As a crash does: every process of it at once."""
        everything = [self._server.pid] + children(self._server.pid)
        for each in everything:
            os.kill(each, signal.SIGKILL)
        self._server.kill()

        def is_gone(pid):
            try:
                return ") Z " in Path(f"/proc/{pid}/stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                return True

        wait_until(lambda: all(is_gone(each) for each in everything), "PostgreSQL's processes are gone")
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    @property
    def pid(self):
        return self._server.pid

    def conninfo(self, database, user):
        return f"host={self.folder} dbname={database} user={user}"

    def query(self, database, sql):
        """Rows as lists of texts."""
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d",
                   self.conninfo(database, "postgres"), "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"psql: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def number(self, database, sql):
        return float(self.query(database, sql)[0][0])

    def _make_template(self):
        self.query("postgres", "create database template owner owner")
        owner = self.conninfo("template", "owner")
        done = subprocess.run([self.restante, "migrate", "--database", owner], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Failure(f"restante migrate: {done.stderr.strip()}")
        self.query("template", f"""
            grant restante_broker to broker;
            insert into restante.account (name, password_hash)
              select 'user-' || lpad(i::text, 5, '0'), '{cheap_hash(PASSWORD)}'
              from generate_series(0, {ACCOUNTS - 1}) i;
            insert into restante.account_group (name) values ('{GROUP}');
            insert into restante.member (group_id, account_id)
              select g.id, a.id from restante.account_group g, restante.account a
              where a.name < 'user-' || lpad('{GROUP_MEMBERS}', 5, '0');""")
        self.query("template", "vacuum analyze")

    def create_database(self):
        """A fresh one with all accounts and no mail."""
        self._databases += 1
        name = f"bench_{self._databases}"
        self.query("postgres", f"create database {name} template template owner owner")
        return name

    def drop_database(self, name):
        self.query("postgres", f"drop database if exists {name} with (force)")
        self.query("postgres", "checkpoint")

    def waiting(self, database):
        return int(self.number(database, "select count(*) from restante.delivery"))

"""Rows in which recipients are away: storing, draining, memory, coming back."""

import time
from copy import copy

from .broker import bare, with_plugin, with_sqlite
from .live import SENDER_LIMIT, leave_nothing, with_plugin_20
from .load import put_load
from .outcome import Outcome, alternate
from .processes import Failure, resident_bytes

# Both brokers keep what waits without a bound on their own; the plugin's bounds are its own.
UNBOUNDED = ["max_queued_messages 0"]
# A few senders are the whole load, and PostgreSQL may be far behind them.
OPTIONS = {"linger": "20ms", "sender_limit": SENDER_LIMIT}


def wait_until_stored(bench, database, count, patience_seconds=30):
    """Fails when for so long no more of them are."""
    stored, last_progress = -1, time.monotonic()
    while stored < count:
        now_stored = bench.postgres.waiting(database)
        if now_stored > stored:
            stored, last_progress = now_stored, time.monotonic()
        elif time.monotonic() - last_progress > patience_seconds:
            raise Failure(f"{count:,} messages were confirmed, {stored:,} are stored, and no more come")


def offline(bench):
    """Both brokers are Mosquitto 2.1, of which persist-sqlite is a part."""
    seconds = max(bench.seconds, 3 if bench.quick else 10)  # persist-sqlite commits every five seconds
    arguments = ["--senders", 50, "--recipients", 500, "--seconds", seconds]
    committed = []

    def plugin_side():
        database = bench.postgres.create_database()
        conninfo = bench.postgres.conninfo(database, "broker")
        with with_plugin(bench.mosquitto_21, bench.new_folder(), bench.plugin, conninfo, OPTIONS,
                         UNBOUNDED) as broker:
            measured = put_load(bench, broker, "offline", arguments)
            wait_until_stored(bench, database, measured.report["confirmed"])
            took = time.monotonic_ns() - measured.interval["began_ns"]
        stored = bench.postgres.waiting(database)
        if stored != measured.report["confirmed"]:
            measured.faults.append(f"{measured.report['confirmed']} confirmed, {stored} stored")
        bench.postgres.drop_database(database)
        measured.value = measured.interval["confirmed_per_second"]
        committed.append(copy(measured))
        committed[-1].value = measured.report["confirmed"] / (took / 1e9)
        return measured

    def sqlite_side():
        with with_sqlite(bench.mosquitto_21, bench.new_folder(), UNBOUNDED) as broker:
            measured = put_load(bench, broker, "offline", arguments)
        measured.value = measured.interval["confirmed_per_second"]
        return measured

    sides = alternate(bench, ("plugin", plugin_side), ("persist-sqlite", sqlite_side))
    first = Outcome("offline", "offline store on Mosquitto 2.1, PUBACKs: plugin / persist-sqlite", "PUBACKs/s", sides,
                    1.0).compare_processor_time("confirmed_per_second")
    second = Outcome("offline-committed", "the same until the last row is committed", "messages/s",
                     {"plugin": committed, "persist-sqlite": sides["persist-sqlite"]}, 0.5)
    return [first, second]


def drain(bench):
    each = 200 if bench.quick else 2_000
    recipients = 100
    many = ["--senders", 50, "--recipients", recipients, "--per-recipient", each]

    def valued(measured):
        measured.value = measured.report["delivered"] / measured.interval["seconds"]
        return measured

    def load(broker, database):
        put_load(bench, broker, "offline", many)
        wait_until_stored(bench, database, each * recipients)
        measured = put_load(bench, broker, "drain", [*many, "--connect-parallel", recipients])
        leave_nothing(bench, database, measured)
        return valued(measured)

    def bare_side():
        with bare(bench.mosquitto, bench.new_folder(), UNBOUNDED) as broker:
            put_load(bench, broker, "offline", many)
            return valued(put_load(bench, broker, "drain", [*many, "--connect-parallel", recipients]))

    sides = alternate(bench, ("with", lambda: with_plugin_20(bench, OPTIONS, load, UNBOUNDED)),
                      ("without", bare_side))
    outcome = Outcome("drain", f"{each * recipients:,} messages from PostgreSQL, acknowledged / from the bare broker's "
                      "memory", "messages/s", sides, 0.5)
    return [outcome.compare_processor_time("delivered_per_second")]


def memory(bench):
    recipients, each = 1_000, 100 if bench.quick else 1_000
    nobody = ["--senders", 50, "--recipients", recipients, "--seconds", 0]
    everybody = ["--senders", 50, "--recipients", recipients, "--per-recipient", each]

    def growth(broker, stored):
        put_load(bench, broker, "offline", nobody)
        before = resident_bytes(broker.pid)
        measured = put_load(bench, broker, "offline", everybody)
        stored()
        measured.value = (resident_bytes(broker.pid) - before) / 1e6
        return measured

    def load(broker, database):
        return growth(broker, lambda: wait_until_stored(bench, database, recipients * each))

    def bare_side():
        with bare(bench.mosquitto, bench.new_folder(), UNBOUNDED) as broker:
            return growth(broker, lambda: None)

    sides = {"with": [with_plugin_20(bench, OPTIONS, load, UNBOUNDED)], "without": [bare_side()]}
    for name, runs in sides.items():
        bench.tell(name, runs[0])
    outcome = Outcome("memory", f"broker resident memory with {recipients * each:,} messages waiting − with none",
                      "MB", sides, 20, most=True, needs_saturation=False, value_unit="MB")
    outcome.value = outcome.median("with")
    return [outcome]


def reconnect(bench):
    """Stated: how long it takes until all are back, with mail and without."""
    many = 1_000 if bench.quick else 10_000
    few = 100 if bench.quick else 300  # each login costs 17 ms of hashing, and logins have a fifth of the time

    def back(broker, recipients, each):
        return put_load(bench, broker, "drain", ["--senders", 50, "--recipients", recipients, "--per-recipient", each,
                                                 "--connect-parallel", 100])

    def seconds(measured):
        measured.value = measured.interval["seconds"]
        return measured

    def plugin_side(recipients, each, prepare=lambda database: None):
        def load(broker, database):
            prepare(database)
            put_load(bench, broker, "offline", ["--senders", 50, "--recipients", recipients, "--per-recipient",
                                                each or 1, "--connect-parallel", 100])
            wait_until_stored(bench, database, recipients * (each or 1))
            if each == 0:
                bench.postgres.query(database, "delete from restante.delivery")
            return seconds(back(broker, recipients, each))

        return with_plugin_20(bench, OPTIONS, load)

    def bare_side(recipients, each):
        with bare(bench.mosquitto, bench.new_folder()) as broker:
            put_load(bench, broker, "offline", ["--senders", 50, "--recipients", recipients, *(
                ["--per-recipient", each] if each else ["--seconds", 0])])
            return seconds(back(broker, recipients, each))

    def expensive(database):
        """One hash as `restante user add` makes it, for everybody: each login still computes it."""
        bench.add_account(database, "pattern")
        bench.postgres.query(database, """update restante.account set password_hash =
            (select password_hash from restante.account where name = 'pattern') where name <> 'pattern'""")

    sides = {}
    for name, measure in (("10 each", lambda: plugin_side(many, 10)), ("no mail", lambda: plugin_side(many, 0)),
                          ("bare, 10 each", lambda: bare_side(many, 10)),
                          ("bare, no mail", lambda: bare_side(many, 0))):
        sides[name] = [measure()]
        bench.tell(name, sides[name][0])
    hashed = plugin_side(few, 10, expensive)
    bench.tell("default hash", hashed)
    outcome = Outcome("reconnect", f"{many:,} clients come back, 100 at a time, with 10 messages each / without mail",
                      "s", sides, needs_saturation=False)
    outcome.value = outcome.median("10 each") / outcome.median("no mail")
    outcome.notes.append(f"the passwords' hash is one round of PBKDF2; with the default argon2id {few} clients with 10 "
                         f"messages each take {hashed.value:.1f} s, {few / hashed.value:.0f} a second")
    outcome.notes += [f"default hash: {fault}" for fault in hashed.faults]
    return [outcome]

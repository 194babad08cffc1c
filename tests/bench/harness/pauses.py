"""Rows about the longest pause of the broker's loop: PostgreSQL killed, a day of mail expiring."""

import time

from .live import leave_nothing, with_plugin_20
from .load import put_load, wait_until_open
from .outcome import Outcome
from .processes import wait_until


def wait_for(seconds):
    """Lets the load go on for so long."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, "time passes", seconds + 10)


def pause(bench):
    """PostgreSQL is killed and comes back while the ring runs as fast as it can."""
    away_seconds = 2
    cycles = 1 if bench.quick else 3

    def kill_and_restart():
        for _ in range(cycles):
            wait_for(4)
            bench.postgres.kill()
            wait_for(away_seconds)
            bench.postgres.start()

    def load(broker, database):
        arguments = ["--senders", 50, "--warm-up", 1, "--seconds", cycles * (5 + away_seconds) + 3]
        measured = put_load(bench, broker, "ring", arguments, meanwhile=kill_and_restart)
        leave_nothing(bench, database, measured)
        measured.value = measured.worst_ping_ms
        return measured

    measured = with_plugin_20(bench, {"linger": "20ms"}, load)
    bench.tell("killed", measured)
    outcome = Outcome("pause", f"longest pause of the loop in any run, PostgreSQL killed {cycles} times included", "ms",
                      {"killed": [measured]}, 50, most=True, needs_saturation=False, value_unit="ms")
    where, worst = max(bench.pauses.items(), key=lambda each: each[1].worst_ping_ms)
    outcome.value = worst.worst_ping_ms
    outcome.notes.append(f"the longest of all rows that were run was in {where}; without the time in which broker or "
                         f"heartbeat had no processor it was {worst.worst_ping_fed_ms:.1f} ms; where PostgreSQL was "
                         f"killed {measured.worst_ping_ms:.1f} ms, {measured.worst_ping_fed_ms:.1f} ms")
    return [outcome]


def expiry(bench):
    """A day of mail outlives its retention while a light load goes on."""
    rows = 100_000 if bench.quick else 1_000_000
    seconds = 10 if bench.quick else 30
    times = {}

    def load(broker, database):
        # Else the broker, which looks for expired days when it starts, does it before we measure it.
        wait_until_open(bench, broker)
        bench.postgres.query(database, f"""
            select restante.restante_roll('60 days', 7, (now() - interval '31 days')::date);
            insert into restante.delivery (mailbox_id, number, topic, sender_id, message_id, payload, qos)
              select b.id, restante.day_number((now() - interval '31 days')::date) + i,
                     'direct/' || a.name || '/user-00000/m' || i, s.id, 'm' || i, repeat('x', 64)::bytea, 1
              from generate_series(0, {rows - 1}) i
              join restante.account a on a.name = 'user-' || lpad((1000 + i % 1000)::text, 5, '0')
              join restante.mailbox b on b.account_id = a.id
              join restante.account s on s.name = 'user-00000';
            analyze restante.delivery;""")
        bench.postgres.query(database, "checkpoint")

        def let_it_expire():
            wait_for(4)
            times["began_ns"] = time.monotonic_ns()
            wait_until(lambda: roll(database), "the day is detached", 60)

        def roll(database):
            """As the plugin's maintenance does; like that it comes again when somebody is in the way."""
            ((took_ms, detached),) = bench.postgres.query(database, """
                select extract(epoch from clock_timestamp() - statement_timestamp()) * 1000, detached
                from (select (restante.restante_roll('30 days')).detached offset 0) rolled""")
            times["ddl_ms"] = times.get("ddl_ms", 0) + float(took_ms)
            times["attempts"] = times.get("attempts", 0) + 1
            return int(detached) == 2  # of messages and of deliveries

        measured = put_load(bench, broker, "ring", ["--senders", 50, "--rate", 1000, "--tick-ms", 0, "--seconds",
                                                    seconds], meanwhile=let_it_expire)
        times["moved"] = int(bench.postgres.number(database, "select count(*) from restante.dead_letter"))
        measured.value = times["ddl_ms"]
        return measured

    measured = with_plugin_20(bench, {"linger": "20ms"}, load)
    bench.tell("expiry", measured)
    before, before_fed = measured.heartbeat.within(measured.interval["began_ns"], times["began_ns"])
    after, after_fed = measured.heartbeat.within(times["began_ns"], measured.interval["ended_ns"])
    ddl = Outcome("expiry-ddl", f"expiring {rows:,} messages of one day: time of DDL", "ms", {"expiry": [measured]},
                  1000, most=True, needs_saturation=False, value=times["ddl_ms"], value_unit="ms")
    ddl.notes.append(f"detached at attempt {times['attempts']}")
    pauses = Outcome("expiry-pause", "the same: longest pause of the loop, from the DDL on", "ms",
                     {"expiry": [measured]}, 5, most=True, needs_saturation=False, value=after, value_unit="ms")
    pauses.notes.append(f"before it began {before:.1f} ms; without the time in which nobody had a processor "
                        f"{before_fed:.1f} ms before, {after_fed:.1f} ms after; {times['moved']:,} dead letters made "
                        "in the interval")
    if before > pauses.bar:
        measured.faults.append(f"a pause of {before:.1f} ms before anything expired: the machine is too busy to tell")
    return [ddl, pauses]

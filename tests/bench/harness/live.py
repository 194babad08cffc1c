"""Rows in which recipients are connected: the ring, the group, latency."""

from .broker import bare, with_plugin
from .load import put_load
from .outcome import Outcome, alternate
from .processes import Failure, wait_until

SENDER_LIMIT = 1_000_000  # where one sender is the whole load
# So many lines in each `ack`, however fast a side is: by time alone the slower side would have more to acknowledge with
# each message. The time is for the last lines.
LINES = ["--lines", 10, "--acknowledge-after-ms", 100]
# Few enough that acknowledgements come within `linger`, which is there for that; more only wait in queues for longer.
UNDERWAY_IN_RING = ["--inflight", 5]
UNDERWAY_IN_GROUP = ["--underway", 20]


def leave_nothing(bench, database, measured):
    """All was acknowledged, so nothing may wait any more."""
    try:
        wait_until(lambda: bench.postgres.waiting(database) == 0, "no mail waits", 20)
    except Failure:
        measured.faults.append(f"left in PostgreSQL {bench.postgres.waiting(database)}")


def with_plugin_20(bench, options, load, lines=()):
    """One run against Mosquitto 2.0 with the plugin and a database of its own; `load(broker, database)` measures."""
    database = bench.postgres.create_database()
    conninfo = bench.postgres.conninfo(database, "broker")
    with with_plugin(bench.mosquitto, bench.new_folder(), bench.plugin, conninfo, options, lines) as broker:
        measured = load(broker, database)
    bench.postgres.drop_database(database)
    return measured


def live_sides(bench, scenario, arguments, options, value):
    """The same live traffic through a broker with the plugin and through a bare one."""

    def valued(measured):
        measured.value = value(measured.interval)
        return measured

    def load(broker, database):
        measured = put_load(bench, broker, scenario, arguments)
        leave_nothing(bench, database, measured)
        return valued(measured)

    def without_it():
        with bare(bench.mosquitto, bench.new_folder()) as broker:
            return valued(put_load(bench, broker, scenario, arguments))

    return ("with", lambda: with_plugin_20(bench, options, load)), ("without", without_it)


def delivered(interval):
    return interval["delivered_per_second"]


def ring(bench, name, title, bar, linger, *more, underway=UNDERWAY_IN_RING):
    arguments = ["--senders", 50, "--seconds", bench.seconds, *LINES, *underway, *more]
    sides = alternate(bench, *live_sides(bench, "ring", arguments, {"linger": linger}, delivered))
    outcome = Outcome(name, title, "messages/s", sides, bar)
    return [outcome.compare_processor_time("delivered_per_second")]


def ring_linger20(bench):
    return ring(bench, "ring-linger20", "ring of 50, QoS 1, `ack`, `linger 20ms`: with / without", 0.90, "20ms")


def ring_receipts(bench):
    return ring(bench, "ring-receipts", "ring of 50, QoS 0 with a receipt for each message: with / without", 0.90,
                "20ms", "--qos", 0, "--acknowledge", "receipt")


def ring_linger0(bench):
    return ring(bench, "ring-linger0", "ring of 50, QoS 1, `ack`, `linger 0`: with / without", 0.60, "0")


def ring_deep(bench):
    return ring(bench, "ring-deep", "ring of 50, QoS 1, `ack`, `linger 20ms`, 20 without PUBACK: with / without", None,
                "20ms", underway=["--inflight", 20])


def group(bench):
    arguments = ["--recipients", 99, "--seconds", bench.seconds, *LINES, *UNDERWAY_IN_GROUP]
    options = {"linger": "20ms", "sender_limit": SENDER_LIMIT}
    sides = alternate(bench, *live_sides(bench, "group", arguments, options, delivered))
    outcome = Outcome("group", "group of 100, QoS 1, `ack`, deliveries: with / without", "deliveries/s", sides, 0.90)
    return [outcome.compare_processor_time("delivered_per_second")]


def latency(bench):
    arguments = ["--senders", 50, "--seconds", bench.seconds, "--rate", 500, "--tick-ms", 0]
    sides = alternate(bench, *live_sides(bench, "ring", arguments, {"linger": "20ms"},
                                         lambda interval: interval["latency_us"]["p50"]))
    outcome = Outcome("latency", "median latency at 500/s: with − without", "µs", sides, 60, most=True,
                      needs_saturation=False, value_unit="µs")
    outcome.value = outcome.median("with") - outcome.median("without")
    return [outcome]

"""What is measured: one function a row, or for rows that come of the same runs."""

from dataclasses import dataclass, field
from statistics import median

from .broker import bare, with_plugin
from .load import put_load
from .processes import wait_until

LEAST_LOOP = 0.90  # of a core, or the broker was not the limit
MOST_GENERATOR = 0.70  # of a core, or the generator was


@dataclass
class Outcome:
    """One line of the table."""

    name: str
    title: str
    unit: str
    sides: dict  # name of the side: its Measured runs
    bar: float = None  # none: stated only
    is_ratio: bool = True  # the first side by the second; else their difference, or the only side
    most: bool = False  # the bar is the most it may be, not the least
    needs_saturation: bool = True
    notes: list = field(default_factory=list)
    value: float = None
    by_processor: float = None  # the ratio as the broker's processor time has it
    verdict: str = ""

    def judge(self):
        sides = list(self.sides.values())
        medians = [median(each.value for each in side) for side in sides]
        if self.value is None:
            self.value = medians[0]
            if len(sides) == 2:
                self.value = medians[0] / medians[1] if self.is_ratio else medians[0] - medians[1]
        faults = [f"{name}: {fault}" for name, side in self.sides.items() for run in side for fault in run.faults]
        voids = []
        if self.needs_saturation:
            for name, side in self.sides.items():
                loop = median(each.loop for each in side)
                generator = median(each.generator for each in side)
                if loop < LEAST_LOOP:
                    voids.append(f"{name}: the loop used {loop:.0%} of a core")
                if generator >= MOST_GENERATOR:
                    voids.append(f"{name}: the generator used {generator:.0%} of a core")
        self.notes += faults + voids
        if faults or voids:
            self.verdict = "void"
        elif self.bar is None:
            self.verdict = "stated"
        else:
            self.verdict = "pass" if (self.value <= self.bar if self.most else self.value >= self.bar) else "miss"
        return self


def alternate(bench, first, second):
    """Runs two sides in turn, so that what else happens on the machine meets both."""
    sides = {first[0]: [], second[0]: []}
    for _ in range(bench.rounds):
        for name, measure in (first, second):
            measured = measure()
            sides[name].append(measured)
            bench.say(f"    {name}: {measured.value:,.1f}, loop {measured.loop:.0%} (waiting "
                      f"{measured.loop_waiting:.0%}), generator {measured.generator:.0%}, worst ping "
                      f"{measured.worst_ping_ms:.1f} ms, PostgreSQL {measured.postgres:.2f}, others "
                      f"{measured.others:.2f} cores" + "".join(f", {each}" for each in measured.faults))
    return sides


def leave_nothing(bench, database, measured):
    """All was acknowledged, so nothing may wait any more."""
    try:
        wait_until(lambda: bench.postgres.waiting(database) == 0, "no mail waits after all was acknowledged", 20)
    except Exception:
        measured.faults.append(f"left in PostgreSQL {bench.postgres.waiting(database)}")


def live_sides(bench, scenario, arguments, options, rate, lines=()):
    """The same live traffic through a broker with the plugin and through a bare one."""

    def with_it():
        database = bench.postgres.create_database()
        conninfo = bench.postgres.conninfo(database, "broker")
        with with_plugin(bench.mosquitto, bench.new_folder(), bench.plugin, conninfo, options, lines) as broker:
            measured = put_load(bench, broker, scenario, arguments)
            leave_nothing(bench, database, measured)
        bench.postgres.drop_database(database)
        return measured

    def without_it():
        with bare(bench.mosquitto, bench.new_folder(), lines) as broker:
            return put_load(bench, broker, scenario, arguments)

    def valued(measure):
        measured = measure()
        measured.value = measured.interval[rate]
        return measured

    return ("with", lambda: valued(with_it)), ("without", lambda: valued(without_it))


def by_processor(outcome, rate):
    costs = [median(each.loop_us(each.interval[rate]) for each in side) for side in outcome.sides.values()]
    outcome.by_processor = costs[1] / costs[0] if costs[0] else None
    for (name, _), cost in zip(outcome.sides.items(), costs):
        outcome.notes.append(f"{name}: {cost:.1f} µs of the loop for each")
    return outcome


def ring(bench, name, title, bar, linger, acknowledge="lines", more=()):
    arguments = ["--senders", 50, "--seconds", bench.seconds, "--acknowledge", acknowledge, *more]
    sides = alternate(bench, *live_sides(bench, "ring", arguments, {"linger": linger}, "delivered_per_second"))
    return [by_processor(Outcome(name, title, "messages/s", sides, bar), "delivered_per_second")]


def ring_linger20(bench):
    return ring(bench, "ring-linger20", "ring of 50, QoS 1, `ack`, `linger 20ms`", 0.90, "20ms")


def ring_receipts(bench):
    return ring(bench, "ring-receipts", "the same with QoS 0 receipts", 0.90, "20ms", "receipt")


def ring_linger0(bench):
    return ring(bench, "ring-linger0", "ring of 50, QoS 1, `ack`, `linger 0`", 0.60, "0")


ROWS = {
    "ring-linger20": ring_linger20,
    "ring-receipts": ring_receipts,
    "ring-linger0": ring_linger0,
}

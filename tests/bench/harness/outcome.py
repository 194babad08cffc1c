"""One line of the table, and when it counts."""

from dataclasses import dataclass, field
from statistics import median

LEAST_LOOP = 0.90  # of a core, or the broker was not the limit
MOST_GENERATOR = 0.70  # of a core, or the generator was


@dataclass
class Outcome:
    name: str
    title: str
    unit: str  # of what the sides' runs have as their value
    sides: dict  # name of the side: its Measured runs
    bar: float = None  # none: stated only
    most: bool = False  # the bar is the most it may be, not the least
    needs_saturation: bool = True
    notes: list = field(default_factory=list)
    value: float = None  # none: the ratio of the sides' values
    value_unit: str = ""
    by_processor: float = None  # the ratio as the broker's processor time has it
    verdict: str = ""

    def median(self, side):
        return median(each.value for each in self.sides[side])

    def ratio(self, of):
        """First side by second: the median of the rounds' ratios. The sides of a round run one after the other, so
        that a machine that gives more or less at times gives both the same; the medians of all rounds may be of
        different times. A round whose second side got nowhere counts as 0, so it never helps to keep a bar."""
        first, second = self.sides.values()
        return median(of(one) / of(other) if of(other) else 0.0 for one, other in zip(first, second, strict=True))

    def judge(self):
        if self.value is None:
            self.value = self.ratio(lambda each: each.value)
        faults = [f"{name}: {fault}" for name, side in self.sides.items() for run in side for fault in run.faults]
        voids = self._voids() if self.needs_saturation else []
        remarks = [f"{name}: {each}" for name, side in self.sides.items() for run in side for each in run.remarks]
        self.notes += remarks + faults + voids
        if faults or voids:
            self.verdict = "void"
        elif self.bar is None:
            self.verdict = "stated"
        else:
            self.verdict = "pass" if (self.value <= self.bar if self.most else self.value >= self.bar) else "miss"
        return self

    def _voids(self):
        found = []
        for name, side in self.sides.items():
            loop = median(each.loop for each in side)
            generator = median(each.generator for each in side)
            if loop < LEAST_LOOP:
                waiting = median(each.loop_waiting for each in side)
                found.append(f"{name}: the loop used {loop:.0%} of a core, and waited {waiting:.0%} for one")
            if generator >= MOST_GENERATOR:
                found.append(f"{name}: the generator used {generator:.0%} of a core")
        return found

    def compare_processor_time(self, rate):
        """By the processor time of the loop for each of what `rate` counts, first side by second."""
        def cost(each):
            return each.loop_us(each.interval[rate])

        costs = {name: median(cost(each) for each in side) for name, side in self.sides.items()}
        self.by_processor = self.ratio(lambda each: 1 / cost(each) if cost(each) else 0.0)
        self.notes.append("loop time for each: " + ", ".join(f"{name} {cost:.1f} µs" for name, cost in costs.items()))
        return self


def alternate(bench, *sides):
    """Runs the sides, each a name and a function, in turn, so that what else happens on the machine meets all."""
    measured = {name: [] for name, _ in sides}
    for _ in range(bench.rounds):
        for name, measure in sides:
            one = measure()
            bench.tell(name, one)
            measured[name].append(one)
    return measured

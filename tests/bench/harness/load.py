"""Runs the load generator against one broker, a heartbeat beside it, and says what came of it."""

import json
import os
import subprocess
from dataclasses import dataclass, field

from .postgres import ACCOUNTS, PASSWORD
from .processes import Failure, Process, machine_seconds, processor_seconds

HEARTBEAT_ACCOUNT = ACCOUNTS - 1
# Any of these above 0 is a fault of the broker, and makes what was measured worthless.
FAULTS = ["lost", "duplicates", "out_of_order", "misdelivered", "refused", "unconfirmed",
          "unconfirmed_acknowledgements", "broken_connections"]


@dataclass
class Measured:
    """One run of the generator against one side."""

    report: dict
    heartbeat: "Heartbeat" = None
    has_plugin: bool = False
    value: float = 0.0  # what the row compares
    faults: list = field(default_factory=list)
    remarks: list = field(default_factory=list)  # what is no fault, but should be known
    worst_ping_ms: float = 0.0
    # The same without the time in which broker or heartbeat had no processor to run on.
    worst_ping_fed_ms: float = 0.0
    postgres: float = 0.0  # processors that PostgreSQL used
    others: float = 0.0  # processors that everybody else on the machine used

    @property
    def interval(self):
        return self.report["interval"]

    @property
    def loop(self):
        return self.interval["broker_loop"]["running"]

    @property
    def loop_waiting(self):
        return self.interval["broker_loop"]["waiting"]

    @property
    def broker(self):
        return self.interval["broker"]["running"]

    @property
    def generator(self):
        return self.interval["generator"]["running"]

    def loop_us(self, per_second):
        """Processor time of the broker's loop for each of them."""
        return self.loop * 1e6 / per_second if per_second else 0.0


class Heartbeat:
    """Pings beside the load while it is a context."""

    def __init__(self, generator, broker, log):
        command = [generator, "heartbeat", "--port", broker.port, "--broker", broker.pid, "--first-account",
                   HEARTBEAT_ACCOUNT, "--seconds", 3600, "--password", PASSWORD]
        self._command, self._log = command, log
        self._process = None
        self.round_trips = []

    def __enter__(self):
        self._process = Process(self._command, self._log, stdout=subprocess.PIPE)
        if self._process.read_line() != "ready\n":
            raise Failure(f"no heartbeat; {self._process.last_lines()}")
        return self

    def __exit__(self, *_):
        self._process.stop()

    @property
    def pid(self):
        return self._process.pid

    def finish(self):
        os.kill(self._process.pid, 15)
        self.round_trips = json.loads(self._process.finish(30))["round_trips"]

    def within(self, began_ns, ended_ns):
        """The longest round trip in ms, and the same without the time in which nobody had a processor. 0 when the
        interval is too short for any."""
        of_interval = [each for each in self.round_trips if began_ns <= each[0] <= ended_ns]
        return (max((each[1] for each in of_interval), default=0) / 1e3,
                max((each[1] - each[2] for each in of_interval), default=0) / 1e3)


def wait_until_open(bench, broker):
    """Until it lets somebody in: with the plugin, that is when it has reached its database."""
    with Heartbeat(bench.generator, broker, broker.folder / "generator.log"):
        pass


def put_load(bench, broker, scenario, arguments, meanwhile=None, limit_seconds=900):
    """Runs one scenario to its end. `meanwhile` is called once, while it runs, and may take its time."""
    command = [bench.generator, scenario, "--port", broker.port, "--broker", broker.pid, "--run", bench.run_name(),
               "--password", PASSWORD, *arguments]
    log = broker.folder / "generator.log"
    postgres_pid = bench.postgres.pid
    with Heartbeat(bench.generator, broker, log) as heartbeat:
        # All that we have started are our children.
        before, postgres_before = processor_seconds(os.getpid()), processor_seconds(postgres_pid)
        machine_before = machine_seconds()
        with Process(command, log, stdout=subprocess.PIPE) as generator:
            if meanwhile:
                meanwhile()
            report = json.loads(generator.finish(limit_seconds))
        others = machine_seconds() - machine_before - (processor_seconds(os.getpid()) - before)
        postgres = processor_seconds(postgres_pid) - postgres_before
        heartbeat.finish()
    interval = report["interval"]
    worst, fed = heartbeat.within(interval["began_ns"], interval["ended_ns"])
    faults = [f"{name.replace('_', ' ')} {report[name]}" for name in FAULTS if report[name]]
    if report["receipts"] < report["receipts_sent"] * 0.99:  # at QoS 0 a few may be dropped
        faults.append(f"{report['receipts']} receipts came of {report['receipts_sent']}")
    remarks = []
    if scenario == "offline" and faults == [f"broken connections {report['broken_connections']}"]:
        # These senders came back and repeated; what that cost is in the rate.
        faults, remarks = [], [f"{faults[0]}, all came back"]
    elif report["why_broken"]:
        faults.append(report["why_broken"])
    whole = report["took_seconds"]
    return Measured(report, heartbeat, has_plugin=broker.has_plugin, faults=faults, remarks=remarks,
                    worst_ping_ms=worst, worst_ping_fed_ms=fed, postgres=max(postgres, 0.0) / whole,
                    others=max(others, 0.0) / whole)

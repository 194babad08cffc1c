"""What all rows share: where things are, what is built, the servers that are started when first wanted."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .broker import Mosquitto
from .postgres import PASSWORD, Postgres
from .processes import Failure

TREE = Path(__file__).resolve().parents[3]


class Bench:
    """Everything it starts has ended, and everything it wrote is gone, when it is left as a context."""

    def __init__(self, options):
        self.seconds = options.seconds
        self.rounds = options.rounds
        self.quick = options.quick
        self.nice = options.nice
        self.build = Path(options.build_dir or TREE / "build-bench").resolve()
        self.folder = Path(tempfile.mkdtemp(prefix="restante-bench-", dir=options.data_dir))
        self.folder.chmod(0o755)
        self._options = options
        self._folders = self._runs = 0
        self._started_at = time.time_ns() // 1_000_000
        self.mosquitto = None
        self._mosquitto_21 = None
        self._postgres = None
        self.pauses = {}  # by row, of the plugin's sides: the run with the longest
        self.row = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._postgres:
            self._postgres.stop()
        if self._options.keep:
            self.say(f"Logs and data are kept in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def say(text):
        print(text, file=sys.stderr, flush=True)

    def tell(self, side, measured):
        """One run, as it ends."""
        self.say(f"    {side}: {measured.value:,.1f}, loop {measured.loop:.0%} (waiting {measured.loop_waiting:.0%}), "
                 f"generator {measured.generator:.0%}, worst ping {measured.worst_ping_ms:.1f} ms, PostgreSQL "
                 f"{measured.postgres:.2f}, others {measured.others:.2f} cores" +
                 "".join(f", {each}" for each in measured.remarks + measured.faults))
        if measured.has_plugin:
            worst = max(self.pauses.get(self.row, measured), measured, key=lambda each: each.worst_ping_ms)
            self.pauses[self.row] = worst

    def prepare(self):
        """Packages, the build, the system's broker."""
        if not self._options.build_dir:
            self._run([TREE / "provisioning/install-packages", "run", "build", "test", "bench"])
            self._run(["cmake", "-S", TREE, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
                      stdout=subprocess.DEVNULL)
        if not self._options.no_build:
            self.say(f"Building in {self.build}")
            self._run(["cmake", "--build", self.build, "--parallel", os.cpu_count(), "--target", "mosquitto_restante",
                       "restante", "load_generator"], stdout=subprocess.DEVNULL)
        for each in (self.plugin, self.restante, self.generator):
            if not each.exists():
                raise Failure(f"there is no {each}")
        self.mosquitto = Mosquitto(os.environ.get("MOSQUITTO", "/usr/sbin/mosquitto"))

    @staticmethod
    def _run(command, **options):
        if subprocess.run([str(each) for each in command], check=False, **options).returncode != 0:
            raise Failure(f"{Path(str(command[0])).name} failed")

    @property
    def plugin(self):
        return self.build / "plugin/mosquitto_restante.so"

    @property
    def restante(self):
        return self.build / "provisioning/restante"

    @property
    def generator(self):
        return self.build / "tests/bench/load_generator"

    @property
    def postgres(self):
        if not self._postgres:
            self.say("Making a PostgreSQL cluster")
            self._postgres = Postgres(self.folder, self.restante)
            self._postgres.create()
        return self._postgres

    @property
    def mosquitto_21(self):
        if not self._mosquitto_21:
            prefix = Path(self._options.mosquitto_21 or self.folder / "mosquitto-2.1").resolve()
            if not (prefix / "mosquitto").exists():
                self.say("Fetching Mosquitto 2.1")
                self._run([TREE / "tests/bench/get-mosquitto-2.1", prefix])
            self._mosquitto_21 = Mosquitto(prefix / "mosquitto", prefix)
        return self._mosquitto_21

    def add_account(self, database, name):
        """As an operator does, with the hash that is the default."""
        done = subprocess.run([self.restante, "user", "add", name, "--password-stdin", "--database",
                               self.postgres.conninfo(database, "owner")], input=PASSWORD, capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"restante user add: {done.stderr.strip()}")

    @property
    def has_mosquitto_21(self):
        return self._mosquitto_21 is not None

    def new_folder(self):
        self._folders += 1
        return self.folder / f"broker-{self._folders}"

    def run_name(self):
        """Ten characters that no message id of another run begins with."""
        self._runs += 1
        return f"{(self._started_at + self._runs) % 0x10000000000:010X}"

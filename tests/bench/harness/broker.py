"""One Mosquitto: bare, with the plugin, or with persist-sqlite."""

import os
import socket
import subprocess

from .processes import Failure, Process, wait_until

# For both sides of every row. Without the first, TCP holds back answers that follow one another.
LINES = ["set_tcp_nodelay true", "log_dest stderr", "log_type error", "log_type warning", "log_type notice"]


class Mosquitto:
    """A program: the system's 2.0 or a 2.1 in a prefix."""

    def __init__(self, program, prefix=None):
        self.program = program
        self.prefix = prefix
        said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
        self.version = said.split("\n")[0].removeprefix("mosquitto version ")

    @property
    def persist_sqlite(self):
        return self.prefix / "usr/lib/x86_64-linux-gnu/mosquitto/mosquitto_persist_sqlite.so"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """Runs while it is a context. `folder` is new, and for everything that it writes."""

    def __init__(self, mosquitto, folder, lines, has_plugin=False):
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.has_plugin = has_plugin
        self.program = mosquitto.program
        text = LINES + lines + [f"listener {self.port} 127.0.0.1"]
        if os.geteuid() == 0:
            text.append("user root")
        (folder / "mosquitto.conf").write_text("\n".join(text) + "\n")
        self._process = None

    def __enter__(self):
        self._process = Process([self.program, "-c", self.folder / "mosquitto.conf"], self.folder / "mosquitto.log")
        wait_until(lambda: not self._process.is_running() or self._is_open(), "Mosquitto starts")
        if not self._process.is_running():
            raise Failure(f"Mosquitto does not start; {self._process.last_lines()}")
        return self

    def __exit__(self, *_):
        self._process.stop()

    def _is_open(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def is_running(self):
        return self._process.is_running()

    def last_lines(self):
        return self._process.last_lines()

    @property
    def pid(self):
        return self._process.pid


# `allow_anonymous` without a password file: it takes any password. Clients log in with the same names on both sides,
# since Mosquitto keeps a copy of the sender's with each message.
def bare(mosquitto, folder, lines=()):
    return Broker(mosquitto, folder, ["allow_anonymous true", *lines])


def with_sqlite(mosquitto, folder, lines=()):
    """persist-sqlite as it comes."""
    return Broker(mosquitto, folder, ["allow_anonymous true", f"plugin {mosquitto.persist_sqlite}",
                                      f"plugin_opt_db_file {folder}/mosquitto.sqlite3", *lines])


def with_plugin(mosquitto, folder, plugin, conninfo, options, lines=()):
    given = {"database": conninfo, "journal": folder / "journal", **options}
    return Broker(mosquitto, folder,
                  ["allow_anonymous false", f"plugin {plugin}",
                   *(f"plugin_opt_{name} {value}" for name, value in given.items()), *lines], has_plugin=True)

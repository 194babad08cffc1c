"""Child processes that never outlive the run, and how much processor time they have had."""

import os
import subprocess
import time
from pathlib import Path


class Failure(Exception):
    """Something that a row needs did not happen; the text is for the operator."""


def wait_until(condition, what, limit_seconds=60):
    """Asks until `condition` returns something true, which is returned."""
    end = time.monotonic() + limit_seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise Failure(f"not within {limit_seconds} s: {what}")
        time.sleep(0.02)


class Process:
    """A server or a load generator. As a context it is ended on leaving; it dies with this program in any case. A
    process group of its own: Ctrl-C is for us to hear."""

    def __init__(self, arguments, log, user=None, death_signal="KILL", stop_signal=15, **options):
        command = ["setpriv", "--pdeathsig", death_signal]
        if user:
            command += [f"--reuid={user}", f"--regid={user}", "--init-groups"]
        self.log = log
        self.stop_signal = stop_signal
        with open(log, "ab") as output:
            options.setdefault("stdout", output)
            self._child = subprocess.Popen(command + ["--"] + [str(each) for each in arguments], cwd="/",
                                           stdin=subprocess.DEVNULL, stderr=output, process_group=0,
                                           **options)
        self.pid = self._child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def is_running(self):
        return self._child.poll() is None

    def stop(self, limit_seconds=60):
        if self.is_running():
            if self._child.stdout:
                self._child.stdout.close()  # nobody reads any more, and it must not wait for that
            self._child.send_signal(self.stop_signal)
            try:
                self._child.wait(limit_seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        self._child.kill()
        self._child.wait()

    def finish(self, limit_seconds):
        """Waits for its end and returns what it wrote."""
        try:
            output, _ = self._child.communicate(timeout=limit_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"a process did not end within {limit_seconds} s; {self.last_lines()}") from None
        if self._child.returncode != 0:
            raise Failure(f"a process failed; {self.last_lines()}")
        return output

    def read_line(self):
        return self._child.stdout.readline().decode()

    def last_lines(self, count=5):
        lines = Path(self.log).read_text(errors="replace").splitlines()[-count:]
        return f"last in {Path(self.log).name}: " + " | ".join(lines)


def children(pid):
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def processor_seconds(pid):
    """Of a process and its children, those that have ended included."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    ticks = sum(int(each) for each in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK") + sum(processor_seconds(each) for each in children(pid))


def machine_seconds():
    """Processor time that the whole machine has spent on anything."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    user, nice, system, _idle, _waiting, hard, soft, steal = ticks
    return (user + nice + system + hard + soft + steal) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

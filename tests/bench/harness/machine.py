"""What kind of machine this is, in the words that a reader of results needs."""

import os
import platform
import tempfile
import time
from pathlib import Path
from statistics import median


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory_gb():
    first = Path("/proc/meminfo").read_text().splitlines()[0]
    return int(first.split()[1]) / 1024**2


def system():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "Linux"


def is_virtual():
    return "hypervisor" in Path("/proc/cpuinfo").read_text()


def sync_ms(folder, times=200):
    """The median of what a fdatasync after a write of 8 KB takes in that folder."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            file.write(bytes(8192))
            file.flush()
            began = time.monotonic()
            os.fdatasync(file.fileno())
            took.append(time.monotonic() - began)
    return median(took) * 1e3


def describe(folder):
    return [
        f"{os.cpu_count()} cores of {processor()}{', virtual' if is_virtual() else ''}, {memory_gb():.0f} GB, "
        f"{system()}, Linux {platform.release().split('-')[0]}",
        f"a fdatasync of 8 KB takes {sync_ms(folder):.2f} ms (median) where PostgreSQL, journals and persist-sqlite "
        "write",
    ]

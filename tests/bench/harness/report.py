"""The table, as text and as RESULTS.md."""

import time
from pathlib import Path
from statistics import median

from . import machine
from .broker import LINES
from .chart import chart
from .live import SENDER_LIMIT
from .postgres import SETTINGS


def amount(value):
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def with_unit(value, unit):
    return f"{amount(value)} {unit}".strip()


def shares(outcome, share):
    return " / ".join(f"{median(share(each) for each in runs):.0%}" for runs in outcome.sides.values())


def medians(outcome):
    shown = (f"{name} {amount(outcome.median(name))}" for name in outcome.sides)
    return "; ".join(shown) + f" {outcome.unit}"


def worst_pings(outcome):
    return " / ".join(f"{max(each.worst_ping_ms for each in runs):.1f}" for runs in outcome.sides.values())


def columns(outcome):
    bar = "" if outcome.bar is None else with_unit(outcome.bar, outcome.value_unit)
    if bar:
        bar = ("≤ " if outcome.most else "≥ ") + bar
    return {
        "row": outcome.name,
        "scenario": outcome.title,
        "medians": medians(outcome),
        "result": with_unit(outcome.value, outcome.value_unit),
        "bar": bar,
        "": outcome.verdict,
        "by processor": amount(outcome.by_processor),
        "loop": shares(outcome, lambda each: each.loop),
        "generator": shares(outcome, lambda each: each.generator),
        "worst ping, ms": worst_pings(outcome),
        "others, cores": " / ".join(f"{median(each.others for each in runs):.2f}" for runs in outcome.sides.values()),
    }


def table(outcomes):
    rows = [columns(each) for each in outcomes]
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    return "\n".join(lines + ["| " + " | ".join(each.values()) + " |" for each in rows])


def notes(outcomes, failures):
    lines = [f"- {each.name}: {note}" for each in outcomes for note in each.notes]
    return "\n".join(lines + [f"- {each}" for each in failures])


def settings(bench):
    lines = machine.describe(bench.folder)
    versions = [f"Mosquitto {bench.mosquitto.version}"]
    if bench.has_mosquitto_21:
        versions.append(f"Mosquitto {bench.mosquitto_21.version} for `offline`")
    versions.append(f"PostgreSQL {bench.postgres.version}")
    lines.append(", ".join(versions))
    lines.append("PostgreSQL: " + ", ".join(f"`{name} = {value}`" for name, value in SETTINGS.items()) +
                 ", a Unix socket; else its defaults, everything synced")
    lines.append("Mosquitto: " + ", ".join(f"`{each}`" for each in LINES if not each.startswith("log")) +
                 "; `max_queued_messages 0` where mail waits; else its defaults; plain TCP on loopback")
    lines.append("plugin: a new database and a new `journal` for each run, `linger` as the rows say, "
                 f"`sender_limit {SENDER_LIMIT}` for the group and where mail waits; else its defaults")
    lines.append(f"{bench.rounds} rounds of {bench.seconds:g} s; priority {bench.nice}")
    return "\n".join(f"- {each}" for each in lines)


def write_results(bench, outcomes, failures):
    folder = Path(__file__).resolve().parents[1]
    date = time.strftime("%Y-%m-%d", time.gmtime())
    text = f"""# Results

Written by `tests/bench/run` on {date}; [README.md](README.md) says what the rows and columns mean. Rates and
processor times are of one machine: compare the two sides of a row, not one machine with another.

![The ratios and their bars](results.svg)

{table(outcomes)}

## Notes of the run

{notes(outcomes, failures)}

## Machine and settings

{settings(bench)}
"""
    (folder / "RESULTS.md").write_text(text)
    (folder / "results.svg").write_text(chart(
        outcomes, "Restante against the same broker without it",
        f"ratios; the black line is the bar to reach; {date}, {machine.processor()}"))
    bench.say(f"Written: {folder / 'RESULTS.md'}, results.svg")

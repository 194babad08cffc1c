"""The table, as text and as RESULTS.md."""

from statistics import median


def amount(value):
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def columns(outcome):
    sides = list(outcome.sides.items())
    shown = [f"{name}: {amount(median(each.value for each in runs))}" for name, runs in sides]
    loops = " / ".join(f"{median(each.loop for each in runs):.0%}" for _, runs in sides)
    generators = " / ".join(f"{median(each.generator for each in runs):.0%}" for _, runs in sides)
    pings = " / ".join(f"{max(each.worst_ping_ms for each in runs):.1f}" for _, runs in sides)
    bar = "" if outcome.bar is None else ("≤ " if outcome.most else "≥ ") + amount(outcome.bar)
    return [outcome.name, outcome.title, "; ".join(shown) + f" {outcome.unit}", amount(outcome.value),
            amount(outcome.by_processor), bar, outcome.verdict, loops, generators, pings]


HEADINGS = ["row", "scenario", "medians", "result", "by processor", "bar", "", "loop", "generator", "worst ping, ms"]


def table(outcomes):
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    lines += ["| " + " | ".join(columns(each)) + " |" for each in outcomes]
    notes = [f"- {each.name}: {note}" for each in outcomes for note in each.notes]
    return "\n".join(lines + [""] + notes)


def write_results(bench, outcomes):
    pass

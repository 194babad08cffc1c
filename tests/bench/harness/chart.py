"""The ratios as bars in an SVG that any browser and GitHub show, in light and in dark."""

from html import escape

ROW, TOP, LEFT, WIDTH, RIGHT = 34, 58, 150, 460, 150
COLOURS = {"pass": "#2a9d5c", "miss": "#d1495b", "void": "#8a8f98", "stated": "#4a7fb5"}


def text(x, y, what, **attributes):
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.0f}" y="{y:.0f}"{given}>{escape(what)}</text>'


def chart(outcomes, title, subtitle):
    """Bars for what has a ratio and a bar: those outcomes whose value has no unit."""
    shown = [each for each in outcomes if not each.value_unit and each.bar is not None]
    scale = WIDTH / max([1.2] + [each.value * 1.05 for each in shown])
    height = TOP + ROW * len(shown) + 36
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" height="{height}" '
        f'viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" font-family="sans-serif" font-size="13">',
        "<style>text{fill:#24292f}.faint{fill:#6e7781}.grid{stroke:#d0d7de}.bar{stroke:#24292f}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.faint{fill:#8b949e}.grid{stroke:#30363d}"
        ".bar{stroke:#e6edf3}}</style>",
        text(12, 24, title, font_size=16, font_weight="bold"),
        text(12, 44, subtitle, **{"class": "faint"}),
    ]
    bottom = TOP + ROW * len(shown)
    for tenth in range(0, int(WIDTH / scale * 10) + 1, 2):
        x = LEFT + tenth / 10 * scale
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(text(x, bottom + 18, f"{tenth / 10:g}", text_anchor="middle", **{"class": "faint"}))
    for index, each in enumerate(shown):
        y = TOP + ROW * index
        bar = LEFT + each.bar * scale
        parts.append(text(LEFT - 10, y + 22, each.name, text_anchor="end"))
        parts.append(f'<rect x="{LEFT}" y="{y + 8}" width="{each.value * scale:.1f}" height="{ROW - 14}" rx="2" '
                     f'fill="{COLOURS[each.verdict]}"/>')
        parts.append(f'<line class="bar" x1="{bar:.1f}" y1="{y + 3}" x2="{bar:.1f}" y2="{y + ROW - 1}" '
                     'stroke-width="2"/>')
        end = LEFT + max(each.value * scale, each.bar * scale) + 8
        parts.append(text(end, y + 22, f"{each.value:.2f} ({each.verdict}, bar {each.bar:g})"))
    return "\n".join(parts + ["</svg>", ""])

"""The dashboard: one HTML page that needs nothing else, of a history."""

import dataclasses
import html
import re

from .line_chart import Chart, text
from .metric import Metric, change, worsening

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --faint: #667085; --paper: #f5f6f8; --card: #fff; --edge: #dfe3e8;
  --line: #2c66c4; --good: #157347; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --faint: #98a2b3; --paper: #12151b; --card: #1b1f27;
  --edge: #303641; --line: #7aa7f0; --good: #5fc992; --bad: #f3877d; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 24px; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 1400px; margin: 0 auto; }
h1 { font-size: 22px; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 28px 0 10px; }
p { margin: 0 0 16px; color: var(--faint); }
a { color: var(--line); }
.tops { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 16px; }
.tops section, figure { background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: 12px 14px;
  margin: 0; }
.tops h2 { margin: 0 0 6px; }
.tops ol { margin: 0; padding-left: 22px; }
.tops li { padding: 1px 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 16px; }
figure:target { outline: 2px solid var(--line); }
figcaption div { display: flex; gap: 2px 10px; align-items: baseline; margin-bottom: 3px; white-space: nowrap; }
figcaption strong { flex: 1; overflow: hidden; text-overflow: ellipsis; }
.value { font-size: 17px; font-variant-numeric: tabular-nums; }
.note { color: var(--faint); font-variant-numeric: tabular-nums; }
.improvement { color: var(--good); }
.regression { color: var(--bad); }
.neutral { color: var(--faint); }
.delta { font-variant-numeric: tabular-nums; font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
.grid { stroke: var(--edge); }
.tick { fill: var(--faint); font-size: 10px; }
.band { fill: var(--line); opacity: .13; }
.line { fill: none; stroke: var(--line); stroke-width: 1.6; stroke-linejoin: round; }
.dot { fill: var(--card); stroke: var(--line); stroke-width: 1.5; }
.dot.last { fill: var(--line); }
footer { margin-top: 28px; color: var(--faint); }
"""

TOP = 10


@dataclasses.dataclass
class Series:
    """A metric over time."""

    scenario: str
    name: str
    entries: list  # of the history, those that have it, the oldest first
    metrics: list  # theirs

    @property
    def anchor(self):
        return re.sub(r"[^A-Za-z0-9_.-]", "_", f"{self.scenario}-{self.name}")

    @property
    def latest(self):
        return self.metrics[-1]

    def delta(self):
        """The change since the entry before; none without one, or when that was 0."""
        return change(self.metrics[-2].value, self.latest.value) if len(self.metrics) > 1 else None

    def verdict(self, neutral):
        """improvement, regression or neutral, as the change is better, worse, or too small to say."""
        if len(self.metrics) < 2:
            return "neutral"
        worse = worsening(self.latest.better, self.metrics[-2].value, self.latest.value)
        if worse is None or abs(worse) <= neutral:
            return "neutral"
        return "regression" if worse > 0 else "improvement"


def all_series(entries):
    found = {}
    for entry in entries:
        for scenario, kept in entry["scenarios"].items():
            for name, metric in kept["metrics"].items():
                series = found.setdefault((scenario, name), Series(scenario, name, [], []))
                series.entries.append(entry)
                series.metrics.append(Metric.of_history(metric))
    return list(found.values())


def percent(part, sign="+"):
    return f"{part * 100:{sign}.1f} %"


def link(url, inner):
    """Only to the web: what a history says is not trusted with other schemes."""
    if url and re.match(r"https?://", url):
        return f'<a href="{html.escape(url)}">{inner}</a>'
    return inner


def commit(entry):
    return link(entry["commit"]["url"], f'<code>{html.escape(entry["commit"]["sha"][:10])}</code>')


def delta(series, neutral):
    part = series.delta()
    if part is None:
        return '<span class="delta neutral">first</span>'
    verdict = series.verdict(neutral)
    return f'<span class="delta {verdict}" title="{verdict} since the entry before">{percent(part)}</span>'


def card(series, neutral):
    points = []
    for entry, metric in zip(series.entries, series.metrics):
        label = f'{text(metric.value)} {metric.unit}\n{entry["timestamp"]}\n{entry["commit"]["sha"][:10]}'
        url = entry["commit"]["url"]
        points.append((metric.value, metric.spread()["stdev"], label, url if url and re.match(r"https?://", url) else None))
    cv = series.latest.spread()["cv"]
    latest, name = series.latest, html.escape(series.name)
    chart = Chart(points).svg(f"{series.scenario} {series.name}", series.entries[0]["timestamp"][:10],
                              series.entries[-1]["timestamp"][:10])
    return (f'<figure id="{series.anchor}"><figcaption><div><strong title="{name}">{name}</strong>'
            f'<span class="note">{latest.better} is better</span></div><div>'
            f'<span class="value">{text(latest.value)} {html.escape(latest.unit)}</span>{delta(series, neutral)}'
            f'<span class="note">CV {"-" if cv is None else percent(cv, "")} of {latest.spread()["n"]}</span>'
            f'</div></figcaption>{chart}</figure>')


def top(title, verdict, series, neutral):
    chosen = [each for each in series if each.verdict(neutral) == verdict]
    chosen.sort(key=lambda each: -abs(each.delta()))
    items = "".join(f'<li><a href="#{each.anchor}">{html.escape(each.scenario)} {html.escape(each.name)}</a> '
                    f'{delta(each, neutral)}</li>' for each in chosen[:TOP])
    more = f"<p>and {len(chosen) - TOP} more</p>" if len(chosen) > TOP else ""
    return f'<section><h2>{title}</h2>{f"<ol>{items}</ol>{more}" if chosen else "<p>None.</p>"}</section>'


def page(history, neutral):
    entries = history.in_order()
    series = all_series(entries)
    if not series:
        body = "<p>The history has no results yet: <code>tools/bench/history append</code> adds them.</p>"
    else:
        last = entries[-1]
        environment = "; ".join(f"{html.escape(str(name))}: {html.escape(str(value))}"
                                for name, value in last["environment"].items())
        body = (f'<p>{len(entries)} {"entry" if len(entries) == 1 else "entries"}, the latest of {html.escape(last["timestamp"])}, commit {commit(last)}. '
                f'Changes are from one entry to the next; up to {percent(neutral, "")} they count as none.</p>'
                f'<div class="tops">{top("Regressions", "regression", series, neutral)}'
                f'{top("Improvements", "improvement", series, neutral)}</div>')
        for scenario in dict.fromkeys(each.scenario for each in series):
            cards = "".join(card(each, neutral) for each in series if each.scenario == scenario)
            body += f'<h2>{html.escape(scenario)}</h2><div class="cards">{cards}</div>'
        body += f"<footer>{environment}</footer>"
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Backplane benchmarks</title>'
            f'<link rel="icon" href="data:,"><style>{STYLE}</style></head>'
            f"<body><main><h1>Backplane benchmarks</h1>{body}</main></body></html>\n")

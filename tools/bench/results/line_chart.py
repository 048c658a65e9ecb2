"""A line chart of one metric as SVG, drawn without any script."""

import html
import math

WIDTH, HEIGHT = 420, 130
LEFT, RIGHT, TOP, BOTTOM = 54, 10, 10, 20


def text(value):
    """A number as people read it: three or four digits."""
    if value == 0:
        return "0"
    digits = max(0, 3 - math.floor(math.log10(abs(value))) - 1)
    return f"{value:,.{min(digits, 6)}f}"


def ticks(low, high):
    """Two to five round numbers from `low` to `high`."""
    power = 10 ** math.floor(math.log10(high - low))
    for part in 0.2, 0.5, 1, 2, 5:
        step = part * power
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < 5:
            break
    return [number * step for number in range(first, last + 1)]


class Chart:
    """`points` are (value, deviation or None, label, url or None), the oldest first."""

    def __init__(self, points):
        self.points = points
        values = [value for value, *_ in points]
        middle = sum(values) / len(values)
        # Noise shall look like noise: at least a tenth of the value is shown around it.
        room = max(max(values) - min(values), abs(middle) * 0.1, 1e-12)
        self.low, self.high = min(values) - room * 0.25, max(values) + room * 0.25
        if min(values) >= 0:
            self.low = max(self.low, 0)

    def x(self, index):
        span = WIDTH - LEFT - RIGHT
        return LEFT + (span / 2 if len(self.points) == 1 else span * index / (len(self.points) - 1))

    def y(self, value):
        value = min(max(value, self.low), self.high)
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low)

    def axis(self):
        for value in ticks(self.low, self.high):
            y = self.y(value)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="tick" x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{text(value)}</text>'

    def band(self):
        """One deviation to either side of the line."""
        above = [(self.x(index), self.y(value + (deviation or 0))) for index, (value, deviation, *_) in
                 enumerate(self.points)]
        below = [(self.x(index), self.y(value - (deviation or 0))) for index, (value, deviation, *_) in
                 enumerate(self.points)]
        if len(self.points) > 1:
            around = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*above, *reversed(below)])
            yield f'<polygon class="band" points="{around}"/>'

    def line(self):
        if len(self.points) > 1:
            path = " ".join(f"{self.x(index):.1f},{self.y(value):.1f}" for index, (value, *_) in enumerate(self.points))
            yield f'<polyline class="line" points="{path}"/>'

    def dots(self):
        for index, (value, _, label, url) in enumerate(self.points):
            last = " last" if index == len(self.points) - 1 else ""
            dot = (f'<circle class="dot{last}" cx="{self.x(index):.1f}" cy="{self.y(value):.1f}" r="{4 if last else 3}">'
                   f'<title>{html.escape(label)}</title></circle>')
            yield f'<a href="{html.escape(url)}">{dot}</a>' if url else dot

    def svg(self, title, first, last):
        """`first` and `last` stand below the ends."""
        parts = [*self.axis(), *self.band(), *self.line(), *self.dots()]
        bottom = HEIGHT - 5
        if len(self.points) > 1:
            parts.append(f'<text class="tick" x="{LEFT}" y="{bottom}">{html.escape(first)}</text>')
        parts.append(f'<text class="tick" x="{WIDTH - RIGHT}" y="{bottom}" text-anchor="end">{html.escape(last)}</text>')
        return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">'
                + "".join(parts) + "</svg>")

"""A small line plot as SVG: both axes logarithmic, a line for each series."""

import math

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 320, 64, 44, 16, 150
COLOURS = ("#1f5fa8", "#c2571a", "#3b7d3b")


def _ticks(low: float, high: float, base: int) -> list[float]:
    return [float(base) ** power for power in range(math.floor(math.log(low, base)),
                                                    math.ceil(math.log(high, base)) + 1)]


def draw(x_label: str, y_label: str, series: dict[str, list[tuple[float, float]]]) -> str:
    points = [point for line in series.values() for point in line]
    x_ticks = _ticks(min(x for x, _ in points), max(x for x, _ in points), 4)
    y_ticks = _ticks(min(y for _, y in points), max(y for _, y in points), 10)

    def place(value: float, ticks: list[float], begin: float, end: float) -> float:
        return begin + (end - begin) * math.log(value / ticks[0]) / math.log(ticks[-1] / ticks[0])

    def x_of(value: float) -> float:
        return place(value, x_ticks, LEFT, WIDTH - RIGHT)

    def y_of(value: float) -> float:
        return place(value, y_ticks, HEIGHT - BOTTOM, TOP)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for tick in x_ticks:
        parts.append(f'<line x1="{x_of(tick):.1f}" y1="{TOP}" x2="{x_of(tick):.1f}" '
                     f'y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x_of(tick):.1f}" y="{HEIGHT - BOTTOM + 16}" '
                     f'text-anchor="middle">{tick:g}</text>')
    for tick in y_ticks:
        parts.append(f'<line x1="{LEFT}" y1="{y_of(tick):.1f}" x2="{WIDTH - RIGHT}" '
                     f'y2="{y_of(tick):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y_of(tick) + 4:.1f}" '
                     f'text-anchor="end">{tick:g}</text>')
    for (name, line), colour in zip(series.items(), COLOURS):
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="3" fill="{colour}"/>'
                  for x, y in line]
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y_of(line[-1][1]) + 4:.1f}" '
                     f'fill="{colour}">{name}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" '
                 f'text-anchor="middle">{x_label}</text>')
    parts.append(f'<text x="14" y="{HEIGHT / 2}" text-anchor="middle" '
                 f'transform="rotate(-90 14 {HEIGHT / 2})">{y_label}</text></svg>')
    return "\n".join(parts) + "\n"

"""How much changed on which day? A bar a day, runs below and changes outside runs above, as inline SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from audit_action.dashboard.records import Day

DAYS = 60
_WIDTH, _GAP, _HEIGHT, _LEAST = 12, 3, 64, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day of the chart."""

    day: date
    in_runs: int
    manual: int


def merged(days: Iterable[Day], last: date) -> tuple[Bar, ...]:
    """A bar for each of the last days, the quiet ones too; days of several databases are added up."""
    found: dict[date, tuple[int, int]] = {}
    for each in days:
        runs, manual = found.get(each.day, (0, 0))
        found[each.day] = (runs + each.in_runs, manual + each.manual)
    every = (last - timedelta(days=DAYS - 1 - back) for back in range(DAYS))
    return tuple(
        Bar(day=day, in_runs=found.get(day, (0, 0))[0], manual=found.get(day, (0, 0))[1]) for day in every
    )


def drawn(bars: tuple[Bar, ...], address: Callable[[date], str]) -> Markup:
    """The chart; each bar leads to its day."""
    most = max((each.in_runs + each.manual for each in bars), default=0) or 1
    width = len(bars) * (_WIDTH + _GAP)
    pieces = [
        Markup(
            '<svg class="chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="group" aria-label="{}">'
        ).format(width, _HEIGHT, summary(bars))
    ]
    for index, each in enumerate(bars):
        pieces.append(_bar(each, index * (_WIDTH + _GAP), most, address))
    return Markup("").join([*pieces, Markup("</svg>")])


def summary(bars: tuple[Bar, ...]) -> str:
    """What the chart shows, in words."""
    runs, manual = sum(each.in_runs for each in bars), sum(each.manual for each in bars)
    busiest = max(bars, key=lambda each: each.in_runs + each.manual)
    peak = busiest.in_runs + busiest.manual
    said = (
        f"In the last {len(bars)} days: {runs:,} transactions in migration runs, {manual:,} outside any run"
    )
    return f"{said}; most on {busiest.day} ({peak:,})" if peak else f"{said}"


def _bar(bar: Bar, left: int, most: int, address: Callable[[date], str]) -> Markup:
    told = f"{bar.day}: {bar.in_runs:,} in runs, {bar.manual:,} outside"
    runs, manual = _height(bar.in_runs, most), _height(bar.manual, most)
    pieces = [
        Markup('<rect class="quiet" x="{}" y="{}" width="{}" height="1"/>').format(left, _HEIGHT - 1, _WIDTH)
    ]
    if runs:
        pieces.append(_rect("runs", left, _HEIGHT - runs, runs))
    if manual:
        pieces.append(_rect("manual", left, _HEIGHT - runs - manual, manual))
    inside = Markup("").join(pieces) + Markup("<title>{}</title>").format(told)
    if not (runs or manual):
        return Markup("<g>{}</g>").format(inside)
    return Markup('<a href="{}" tabindex="-1">{}</a>').format(address(bar.day), inside)


def _height(number: int, most: int) -> int:
    return max(_LEAST, round(number / most * (_HEIGHT - 2 * _LEAST))) if number else 0


def _rect(kind: str, left: int, top: int, height: int) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        kind, left, top, _WIDTH, height
    )

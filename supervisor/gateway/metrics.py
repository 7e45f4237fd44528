"""Metrics: the board for Prometheus. Each state of each source is always there, so that no series comes and goes.

Gauges say what is on the board now, counters what happened since the gateway began (`tally.py`).
"""

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ...protocol.event import EventKind
from ...protocol.session import NEEDS_YOU, Activity, Status
from ..version import VERSION
from .feed import Feed
from .mirror import Mirror
from .streams import Streams
from .tally import COUNTED, LAG_BOUNDS, TOKENS

MOST_SESSIONS = 1000
"""Sessions of which the context is told: each is a series."""

EVENTS: tuple[str, ...] = (*get_args(EventKind), "health")


class BoardCollector(Collector):
    """Reads a mirror whenever it is asked."""

    def __init__(self, mirror: Mirror, feed: Feed, streams: Streams) -> None:
        self._mirror = mirror
        self._feed = feed
        self._streams = streams
        self._fleet = False

    def collect(self) -> Iterator[Metric]:
        """Yield all families of metrics."""
        self._fleet = self._mirror.fleet
        yield GaugeMetricFamily(
            "bellboard_up", "Whether the board is heard", value=float(self._mirror.status.connected)
        )
        info = GaugeMetricFamily("bellboard_gateway_info", "The gateway's release", labels=["version"])
        info.add_metric([VERSION], 1)
        yield info
        yield GaugeMetricFamily("bellboard_gateway_streams", "Streams that are open", value=self._feed.readers)
        yield CounterMetricFamily(
            "bellboard_gateway_streams_dropped", "Streams that did not keep up", value=self._streams.dropped
        )
        yield from self._sessions()
        yield from self._sources()
        yield from self._counted()

    def _names(self, *more: str) -> list[str]:
        """Return the labels of what is told of a source; on the board of a fleet its machine is one of them."""
        return ["source", *(["host"] if self._fleet else []), *more]

    def _statuses(self) -> list[Status]:
        """Return what a source may be; `offline` only where there is another machine."""
        return [each for each in get_args(Status) if self._fleet or each != "offline"]

    def _labels(self, origin: str, *more: str) -> list[str]:
        """Return their values."""
        if not self._fleet:
            return [origin, *more]
        source, _, host = origin.rpartition("@")
        return [source, host, *more]

    def _sessions(self) -> Iterator[Metric]:
        shown = list(self._mirror.sessions.values())
        states = Counter((each.origin, each.activity) for each in shown)
        waits = Counter((each.origin, each.waiting_for) for each in shown if each.needs_you)
        family = GaugeMetricFamily("bellboard_sessions", "Sessions on the board", labels=self._names("activity"))
        waiting = GaugeMetricFamily(
            "bellboard_sessions_needing_you", "Sessions whose turn stands still", labels=self._names("waiting_for")
        )
        for name in self._mirror.sources():
            for activity in get_args(Activity):
                family.add_metric(self._labels(name, activity), states[name, activity])
            for what in sorted(NEEDS_YOU):
                waiting.add_metric(self._labels(name, what), waits[name, what])
        yield family
        yield waiting
        full = GaugeMetricFamily(
            "bellboard_session_context_ratio",
            "How full the context is, where that is known",
            labels=self._names("session"),
        )
        living = [each for each in shown if each.lifecycle == "active" and each.context_utilization is not None]
        for each in living[:MOST_SESSIONS]:
            full.add_metric(self._labels(each.origin, each.id), each.context_utilization or 0.0)
        yield full

    def _sources(self) -> Iterator[Metric]:
        status = GaugeMetricFamily("bellboard_source_status", "1 for the status it has", labels=self._names("status"))
        gauges = {
            "pid": GaugeMetricFamily("bellboard_worker_up", "Whether its worker runs", labels=self._names()),
            "rss_bytes": GaugeMetricFamily("bellboard_worker_rss_bytes", "Memory of its worker", labels=self._names()),
            "cpu_percent": GaugeMetricFamily(
                "bellboard_worker_cpu_percent", "Percent of one core", labels=self._names()
            ),
            "quarantined": GaugeMetricFamily("bellboard_quarantined_sessions", "Set aside", labels=self._names()),
            "lag_seconds": GaugeMetricFamily(
                "bellboard_worker_lag_seconds", "How far behind it is", labels=self._names()
            ),
        }
        restarts = CounterMetricFamily("bellboard_worker_restarts", "Restarts of its worker", labels=self._names())
        unknown = CounterMetricFamily("bellboard_unknown_records", "Records of unknown shape", labels=self._names())
        faults = GaugeMetricFamily("bellboard_source_faults", "Failures in a row", labels=self._names("scope"))
        for name, health in sorted(self._mirror.health.items()):
            for each in self._statuses():
                status.add_metric(self._labels(name, each), float(health.status == each))
            gauges["pid"].add_metric(self._labels(name), float(health.pid is not None))
            gauges["rss_bytes"].add_metric(self._labels(name), health.rss_bytes or 0)
            gauges["cpu_percent"].add_metric(self._labels(name), health.cpu_percent or 0.0)
            gauges["quarantined"].add_metric(self._labels(name), len(health.quarantined))
            gauges["lag_seconds"].add_metric(self._labels(name), health.lag_seconds or 0.0)
            restarts.add_metric(self._labels(name), health.restarts)
            unknown.add_metric(self._labels(name), health.unknown_records)
            faults.add_metric(self._labels(name, "discover"), health.discover_failures)
            faults.add_metric(self._labels(name, "parse"), health.parse_failures)
        yield from (status, *gauges.values(), restarts, unknown, faults)

    def _counted(self) -> Iterator[Metric]:
        tally = self._mirror.tally
        for what in COUNTED:
            family = CounterMetricFamily(
                f"bellboard_{what}", f"New {what.replace('_', ' ')} seen", labels=self._names()
            )
            for name in self._mirror.sources():
                family.add_metric(self._labels(name), tally.counted[name, what])
            yield family
        tokens = CounterMetricFamily("bellboard_tokens", "New tokens seen", labels=self._names("kind"))
        for name in self._mirror.sources():
            for kind in TOKENS:
                tokens.add_metric(self._labels(name, kind), tally.tokens[name, kind])
        yield tokens
        events = CounterMetricFamily("bellboard_events", "Events heard", labels=["kind"])
        for kind in EVENTS:
            events.add_metric([kind], tally.events[kind])
        yield events
        sums = accumulate(tally.lags)
        buckets = [(str(bound), count) for bound, count in zip((*LAG_BOUNDS, "+Inf"), sums, strict=True)]
        yield HistogramMetricFamily(
            "bellboard_event_lag_seconds", "From the board to the gateway", buckets=buckets, sum_value=tally.lag_sum
        )


def registry(mirror: Mirror, feed: Feed, streams: Streams) -> CollectorRegistry:
    """Return a registry of the board alone: nothing of the Python process, and nobody else's metrics."""
    made = CollectorRegistry(auto_describe=False)
    made.register(BoardCollector(mirror, feed, streams))
    return made


def text(of: CollectorRegistry) -> bytes:
    """Return everything in the text format of Prometheus."""
    return generate_latest(of)

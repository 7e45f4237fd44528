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

    def collect(self) -> Iterator[Metric]:
        """Yield all families of metrics."""
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

    def _sessions(self) -> Iterator[Metric]:
        shown = list(self._mirror.sessions.values())
        states = Counter((each.source, each.activity) for each in shown)
        waits = Counter((each.source, each.waiting_for) for each in shown if each.needs_you)
        family = GaugeMetricFamily("bellboard_sessions", "Sessions on the board", labels=["source", "activity"])
        waiting = GaugeMetricFamily(
            "bellboard_sessions_needing_you", "Sessions whose turn stands still", labels=["source", "waiting_for"]
        )
        for name in self._mirror.sources():
            for activity in get_args(Activity):
                family.add_metric([name, activity], states[name, activity])
            for what in sorted(NEEDS_YOU):
                waiting.add_metric([name, what], waits[name, what])
        yield family
        yield waiting
        full = GaugeMetricFamily(
            "bellboard_session_context_ratio",
            "How full the context is, where that is known",
            labels=["source", "session"],
        )
        living = [each for each in shown if each.lifecycle == "active" and each.context_utilization is not None]
        for each in living[:MOST_SESSIONS]:
            full.add_metric([each.source, each.id], each.context_utilization or 0.0)
        yield full

    def _sources(self) -> Iterator[Metric]:
        status = GaugeMetricFamily("bellboard_source_status", "1 for the status it has", labels=["source", "status"])
        gauges = {
            "pid": GaugeMetricFamily("bellboard_worker_up", "Whether its worker runs", labels=["source"]),
            "rss_bytes": GaugeMetricFamily("bellboard_worker_rss_bytes", "Memory of its worker", labels=["source"]),
            "cpu_percent": GaugeMetricFamily("bellboard_worker_cpu_percent", "Percent of one core", labels=["source"]),
            "quarantined": GaugeMetricFamily("bellboard_quarantined_sessions", "Set aside", labels=["source"]),
            "lag_seconds": GaugeMetricFamily("bellboard_worker_lag_seconds", "How far behind it is", labels=["source"]),
        }
        restarts = CounterMetricFamily("bellboard_worker_restarts", "Restarts of its worker", labels=["source"])
        unknown = CounterMetricFamily("bellboard_unknown_records", "Records of unknown shape", labels=["source"])
        faults = GaugeMetricFamily("bellboard_source_faults", "Failures in a row", labels=["source", "scope"])
        for name, health in sorted(self._mirror.health.items()):
            for each in get_args(Status):
                status.add_metric([name, each], float(health.status == each))
            gauges["pid"].add_metric([name], float(health.pid is not None))
            gauges["rss_bytes"].add_metric([name], health.rss_bytes or 0)
            gauges["cpu_percent"].add_metric([name], health.cpu_percent or 0.0)
            gauges["quarantined"].add_metric([name], len(health.quarantined))
            gauges["lag_seconds"].add_metric([name], health.lag_seconds or 0.0)
            restarts.add_metric([name], health.restarts)
            unknown.add_metric([name], health.unknown_records)
            faults.add_metric([name, "discover"], health.discover_failures)
            faults.add_metric([name, "parse"], health.parse_failures)
        yield from (status, *gauges.values(), restarts, unknown, faults)

    def _counted(self) -> Iterator[Metric]:
        tally = self._mirror.tally
        for what in COUNTED:
            family = CounterMetricFamily(f"bellboard_{what}", f"New {what.replace('_', ' ')} seen", labels=["source"])
            for name in self._mirror.sources():
                family.add_metric([name], tally.counted[name, what])
            yield family
        tokens = CounterMetricFamily("bellboard_tokens", "New tokens seen", labels=["source", "kind"])
        for name in self._mirror.sources():
            for kind in TOKENS:
                tokens.add_metric([name, kind], tally.tokens[name, kind])
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

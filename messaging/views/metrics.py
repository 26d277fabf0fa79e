"""`GET /metrics` in the text format of Prometheus. For a key (or a signed-in leader) with the deed `read_operations`.

A key and not a token in the settings: it can be revoked, its last use is seen, and there is one kind of secret less. Every
figure is counted in the database when it is asked for, so any number of processes tell the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging import queries
from messaging.queries.clock import database_now
from messaging.queries.operations import Flow, Line, Operations


class AnyFormat(BaseContentNegotiation):
    """Scrapers ask for formats of their own; they all read this one."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


@extend_schema(exclude=True)
class Scrape(APIView):
    deeds = {"GET": "read_operations"}  # noqa: RUF012 - read by HasDeed
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AnyFormat

    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Sending(queries.operations(database_now())))
        answer = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
        answer["Cache-Control"] = "no-store"
        return answer


class Sending(Collector):
    def __init__(self, found: Operations) -> None:
        self.found = found

    def collect(self) -> Iterable[Metric]:
        found = self.found
        yield _one("sending_paused", "1 while a person has paused all sending", found.paused)
        if found.health.tick_age is not None:
            yield _one("tick_age_seconds", "since the clock of sending last ticked", found.health.tick_age)
        yield _one("oldest_due_seconds", "how long the oldest message that may go out waits", found.health.oldest_due)
        yield _flows({"1h": found.hour, "24h": found.day})
        lines = found.lines
        yield _each("transport_ready", "1 = a provider is set up", lines, lambda line: line.ready)
        yield _each("transport_paused", "1 = paused by a person", lines, lambda line: line.setting.paused)
        yield _each("breaker_open", "1 = sending rests after errors", lines, lambda line: line.breaker != "closed")
        yield _each("due", "messages that may go out now and wait", lines, lambda line: line.due)
        yield _each("unknown", "messages whose outcome nobody knows", lines, lambda line: line.unknown)
        yield _each("tries_1h", "calls of the provider that ended in the last hour", lines, lambda line: line.tries)
        yield _each("faults_1h", "those of them that failed by its fault", lines, lambda line: line.faults)


def _one(name: str, said: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"clinic_messages_{name}", said, value=float(value))


def _each(name: str, said: str, lines: Iterable[Line], value: Any) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"clinic_messages_{name}", said, labels=["transport"])
    for line in lines:
        family.add_metric([line.name], float(value(line)))
    return family


def _flows(flows: dict[str, Flow]) -> GaugeMetricFamily:
    said = "messages planned in the period, by where they are now"
    family = GaugeMetricFamily("clinic_messages_planned", said, labels=["period", "state"])
    for period, flow in flows.items():
        for state in ("waiting", "sent", "not_sent", "unknown"):
            family.add_metric([period, state], float(getattr(flow, state)))
    return family

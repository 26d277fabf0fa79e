"""How we count: every metric in words, straight from the registry."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analytics.metrics import REGISTRY
from analytics.metrics.columns import COLUMNS
from analytics.metrics.params import COMMON
from analytics.views.words import HEADS
from staff.access import needs
from staff.models import Clinic


@needs("see_dashboard")
def how_we_count(request: HttpRequest) -> HttpResponse:
    metrics = [
        {
            "metric": metric,
            "params": [{"label": name, "value": param.text} for name, param in metric.own.items()],
            "columns": [{"label": HEADS.get(name, name), "value": COLUMNS[name].text} for name in metric.columns],
        }
        for metric in REGISTRY.values()
    ]
    common = [{"label": name, "value": param.text} for name, param in COMMON.items()]
    context = {"metrics": metrics, "common": common, "clinic": Clinic.objects.get(pk=1)}
    return render(request, "analytics/how_we_count.html", context)

"""The error pages of the house; none of them asks the database, so that they show when it is gone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the browser sent something that cannot be read."""
    return HttpResponse(render_to_string("lib/400.html"), status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 without a reason of our own."""
    return HttpResponse(render_to_string("lib/refused.html", {"reason": ""}), status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is not from this session."""
    return HttpResponse(render_to_string("lib/stale.html"), status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: nothing here, or nothing for this person; the page does not say which."""
    return HttpResponse(render_to_string("lib/404.html"), status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours."""
    return HttpResponse(render_to_string("lib/500.html"), status=500)

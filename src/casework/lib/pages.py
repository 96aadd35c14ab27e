"""The error pages of the house; none of them asks the database, so that they show when it is gone.

Under `PROGRAMS` the same is said as JSON: a program cannot read a page.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

PROGRAMS = "/api/"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the browser sent something that cannot be read."""
    return _told(request, "lib/400.html", 400, "This cannot be read.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 without a reason of our own."""
    return _told(request, "lib/refused.html", 403, "You may not do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is not from this session."""
    return _told(request, "lib/stale.html", 403, "The CSRF token is missing or too old.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: nothing here, or nothing for this person; the page does not say which."""
    return _told(request, "lib/404.html", 404, "Not Found")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours."""
    return _told(request, "lib/500.html", 500, "A fault of ours; it is on record.")


def _told(request: HttpRequest, template: str, status: int, sentence: str) -> HttpResponse:
    if request.path.startswith(PROGRAMS):
        return JsonResponse({"detail": sentence, "rule": ""}, status=status)
    return HttpResponse(render_to_string(template, {"reason": ""}), status=status)

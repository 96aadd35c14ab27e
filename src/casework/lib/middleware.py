"""What every answer gets: a request id, a strict content policy, and our errors as pages."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string

from casework.lib.errors import AbsentError, RefusedError
from casework.lib.logs import request_id
from casework.lib.pages import bad_request

Answer = Callable[[HttpRequest], HttpResponse]

# No inline script or style anywhere, no other origin. Bootstrap draws its check marks with data: pictures.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-get=(self)"


class HeaderMiddleware:
    """Sets the security headers Django leaves to us, and forbids caches to keep a page."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with a request id for the log and the ledger."""
        token = request_id.set(secrets.token_hex(8))
        try:
            # No column holds NUL, and PostgreSQL refuses to be asked for it.
            nul = "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", "")
            response = bad_request(request) if nul else self.get_response(request)
        finally:
            request_id.reset(token)
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        response.headers["Permissions-Policy"] = PERMISSIONS
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class WholePageMiddleware:
    """Lets a redirect be one for the whole page, where a part of a page was asked for by htmx.

    Without it the sign-in page of an ended session would appear inside the page that polls.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; browsers follow a 302 before htmx sees it, so it becomes a header."""
        response = self.get_response(request)
        if request.headers.get("HX-Request") == "true" and response.status_code in (301, 302, 303):
            whole = HttpResponse(status=204)
            whole.cookies = response.cookies
            whole.headers["HX-Redirect"] = response.headers["Location"]
            return whole
        return response


class ErrorMiddleware:
    """Turns the platform's own errors into pages: absent is 404, refused is 403 with its reason."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass through."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for our own errors only."""
        if isinstance(exception, AbsentError):
            raise Http404 from exception
        if isinstance(exception, RefusedError):
            page = render_to_string("lib/refused.html", {"reason": exception.reason}, request)
            return HttpResponse(page, status=403)
        return None

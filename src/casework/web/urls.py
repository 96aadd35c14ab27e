"""All addresses of the house."""

from __future__ import annotations

from django.urls import include, path

from casework.web import rest, views

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("api/", rest.urls),
    path("accounts/", include("casework.accounts.urls")),
    path("cases/", include("casework.cases.urls")),
    path("exhibits/", include("casework.exhibits.urls")),
    path("jobs/", include("casework.jobs.urls")),
    path("law/", include("casework.law.urls")),
    path("papers/", include("casework.papers.urls")),
    path("people/", include("casework.people.urls")),
]

handler400 = "casework.lib.pages.bad_request"
handler403 = "casework.lib.pages.forbidden"
handler404 = "casework.lib.pages.not_found"
handler500 = "casework.lib.pages.server_error"

"""The addresses of the jobs."""

from __future__ import annotations

from django.urls import path

from casework.jobs import views

app_name = "jobs"

urlpatterns = [
    path("", views.jobs, name="jobs"),
    path("<uuid:job>/", views.job, name="job"),
    path("<uuid:job>/progress/", views.progress, name="progress"),
    path("<uuid:job>/cancel/", views.cancel, name="cancel"),
]

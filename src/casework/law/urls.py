"""The addresses of the law."""

from __future__ import annotations

from django.urls import path

from casework.law import views

app_name = "law"

urlpatterns = [
    path("", views.offences, name="offences"),
    path("clocks/", views.clocks, name="clocks"),
    path("offence/<uuid:offence>/", views.offence, name="offence"),
    path("offence/<uuid:offence>/confirm/", views.confirm, name="confirm"),
    path("offence/<uuid:offence>/supersede/", views.supersede, name="supersede"),
]

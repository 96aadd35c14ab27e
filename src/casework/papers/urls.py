"""The addresses of papers."""

from __future__ import annotations

from django.urls import path

from casework.papers import form_views, views

app_name = "papers"

urlpatterns = [
    path("", views.mine, name="mine"),
    path("case/<uuid:case>/", views.of_case, name="of_case"),
    path("check/", views.check, name="check"),
    path("heads/", views.heads, name="heads"),
    path("forms/", form_views.forms, name="forms"),
    path("forms/<uuid:form>/", form_views.form, name="form"),
    path("forms/<uuid:form>/confirm/", form_views.confirm, name="confirm_form"),
    path("forms/<uuid:form>/reword/", form_views.reword, name="reword_form"),
    path("<uuid:paper>/", views.paper, name="paper"),
    path("<uuid:paper>/file/", views.download, name="download"),
    path("<uuid:paper>/signature/", views.signature, name="signature"),
    path("<uuid:paper>/withdraw/", views.withdraw, name="withdraw"),
]

"""The addresses of people."""

from __future__ import annotations

from django.urls import path

from casework.people import identifier_views, pair_views, views, watch_views

app_name = "people"

urlpatterns = [
    path("", views.people, name="people"),
    path("enter/", views.enter, name="enter"),
    path("identifiers/", identifier_views.identifiers, name="identifiers"),
    path("identifiers/enter/", identifier_views.enter, name="enter_identifier"),
    path("identifiers/<uuid:identifier>/", identifier_views.identifier, name="identifier"),
    path("identifiers/<uuid:identifier>/attribute/", identifier_views.attribute, name="attribute"),
    path("identifiers/<uuid:identifier>/seen/", identifier_views.seen, name="identifier_seen"),
    path("attributions/<uuid:attribution>/contest/", identifier_views.contest, name="contest"),
    path("attributions/<uuid:attribution>/withdraw/", identifier_views.withdraw, name="withdraw_attribution"),
    path("enquiries/", identifier_views.enquiries, name="enquiries"),
    path("enquiries/<uuid:enquiry>/acknowledge/", identifier_views.acknowledge, name="acknowledge"),
    path("watch/", watch_views.register, name="watch"),
    path("watch/<uuid:watch_entry>/", watch_views.entry, name="watch_entry"),
    path("watch/<uuid:watch_entry>/review/", watch_views.review, name="review_watch"),
    path("watch/<uuid:watch_entry>/remove/", watch_views.remove, name="remove_watch"),
    path("names/<uuid:person_name>/withdraw/", views.withdraw_name, name="withdraw_name"),
    path("roles/<uuid:person_role>/end/", views.end_role, name="end_role"),
    path("<uuid:person>/", views.person, name="person"),
    path("<uuid:person>/name/", views.add_name, name="add_name"),
    path("<uuid:person>/birth/", views.record_birth, name="record_birth"),
    path("<uuid:person>/describe/", views.describe, name="describe"),
    path("<uuid:person>/role/", views.give_role, name="give_role"),
    path("<uuid:person>/vault/", views.add_to_vault, name="add_to_vault"),
    path("<uuid:person>/unmask/", views.unmask, name="unmask"),
    path("<uuid:person>/watch/", watch_views.put, name="put_under_watch"),
    path("<uuid:person>/seen/", pair_views.seen, name="person_seen"),
    path("<uuid:person>/candidates/", pair_views.candidates, name="candidates"),
    path("<uuid:person>/judge/<uuid:other>/", pair_views.judge, name="judge"),
]

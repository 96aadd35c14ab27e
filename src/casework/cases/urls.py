"""The addresses of cases."""

from __future__ import annotations

from django.urls import path

from casework.cases import charge_views, child_views, views, work_views

app_name = "cases"

urlpatterns = [
    path("", views.cases, name="cases"),
    path("open/", views.open_case, name="open"),
    path("clocks/", views.clocks, name="clocks"),
    path("clocks/default-bail/", views.default_bail, name="default_bail"),
    path("<uuid:case>/", views.case, name="case"),
    path("<uuid:case>/change/", views.rename, name="rename"),
    path("<uuid:case>/clocks/count-anew/", views.count_anew, name="count_anew"),
    path("<uuid:case>/end/", views.end, name="end"),
    path("<uuid:case>/reopen/", views.reopen, name="reopen"),
    path("<uuid:case>/report/", views.fir, name="fir"),
    path("<uuid:case>/events/", views.events, name="events"),
    path("<uuid:case>/events/add/", views.add_event, name="add_event"),
    path("<uuid:case>/events/<uuid:event>/strike/", views.strike, name="strike"),
    path("<uuid:case>/links/add/", views.add_link, name="add_link"),
    path("<uuid:case>/links/<uuid:link>/end/", views.end_link, name="end_link"),
    path("<uuid:case>/charges/pick/", charge_views.pick, name="pick"),
    path("<uuid:case>/charges/<uuid:charge>/", charge_views.charge, name="charge"),
    path("<uuid:case>/charges/<uuid:charge>/step/", charge_views.step, name="step"),
    path("<uuid:case>/charges/<uuid:charge>/withdraw/", charge_views.withdraw, name="withdraw_charge"),
    path("<uuid:case>/charges/<uuid:charge>/elements/add/", charge_views.add_element, name="add_element"),
    path("<uuid:case>/elements/<uuid:element>/support/", charge_views.support, name="support"),
    path("<uuid:case>/supports/<uuid:support>/end/", charge_views.end_support, name="end_support"),
    path("<uuid:case>/clocks/<uuid:deadline>/", work_views.deadline, name="clock"),
    path("<uuid:case>/clocks/<uuid:deadline>/meet/", work_views.meet, name="meet"),
    path("<uuid:case>/clocks/<uuid:deadline>/excuse/", work_views.excuse, name="excuse"),
    path("<uuid:case>/clocks/<uuid:deadline>/extend/", work_views.extend, name="extend"),
    path("<uuid:case>/court/add/", work_views.add_sitting, name="add_sitting"),
    path("<uuid:case>/decisions/", work_views.decisions, name="decisions"),
    path("<uuid:case>/decisions/add/", work_views.decide, name="decide"),
    path("<uuid:case>/tasks/add/", work_views.add_task, name="add_task"),
    path("<uuid:case>/tasks/<uuid:task>/", work_views.task, name="task"),
    path("<uuid:case>/tasks/<uuid:task>/finish/", work_views.end_task, {"how": "finish"}, name="finish_task"),
    path("<uuid:case>/tasks/<uuid:task>/refuse/", work_views.end_task, {"how": "refuse"}, name="refuse_task"),
    path("<uuid:case>/tasks/<uuid:task>/withdraw/", work_views.end_task, {"how": "withdraw"}, name="withdraw_task"),
    path("<uuid:case>/members/", work_views.members, name="members"),
    path("<uuid:case>/members/add/", work_views.add_member, name="add_member"),
    path("<uuid:case>/members/exclude/", work_views.exclude, name="exclude"),
    path("<uuid:case>/members/<uuid:account>/dismiss/", work_views.dismiss, name="dismiss"),
    path("<uuid:case>/children/add/", child_views.open_path, name="add_child"),
    path("<uuid:case>/children/<uuid:child_path>/", child_views.child, name="child"),
    path("<uuid:case>/children/<uuid:child_path>/no-lock-up/", child_views.no_lockup, name="no_lockup"),
    path("<uuid:case>/children/<uuid:child_path>/class/", child_views.board_class, name="board_class"),
    path("<uuid:case>/children/<uuid:child_path>/erasure/", child_views.erasure, name="erasure"),
    path("<uuid:case>/children/<uuid:child_path>/erase/", child_views.erase, name="erase"),
]

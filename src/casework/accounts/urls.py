"""The addresses of accounts."""

from __future__ import annotations

from django.urls import path

from casework.accounts import desk_views, own_views, token_views, views

app_name = "accounts"

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/factor/", views.second_factor, name="second_factor"),
    path("sign-in/passkey/", views.passkey_proof, name="passkey_proof"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
    path("enrol/", views.enrol, name="enrol"),
    path("enrol/passkey/", views.enrol_passkey, name="enrol_passkey"),
    path("language/", views.language, name="language"),
    path("mine/", own_views.mine, name="mine"),
    path("mine/codes/", views.codes, name="codes"),
    path("mine/password/", own_views.change_password, name="change_password"),
    path("mine/confirm/", own_views.confirm, name="confirm"),
    path("mine/factors/", own_views.own_factors, name="factors"),
    path("mine/factors/app/", own_views.add_totp, name="add_totp"),
    path("mine/factors/app/remove/", own_views.remove_totp, name="remove_totp"),
    path("mine/factors/passkey/", own_views.add_passkey, name="add_passkey"),
    path("mine/factors/passkey/<uuid:passkey>/remove/", own_views.remove_passkey, name="remove_passkey"),
    path("mine/factors/codes/", own_views.renew_codes, name="renew_codes"),
    path("mine/prove/", token_views.prove, name="prove"),
    path("mine/prove/passkey/", token_views.prove_passkey, name="prove_passkey"),
    path("mine/tokens/", token_views.tokens, name="tokens"),
    path("mine/tokens/<uuid:token>/end/", token_views.end, name="end_token"),
    path("", desk_views.accounts, name="accounts"),
    path("open/", desk_views.open_account, name="open_account"),
    path("<uuid:account>/", desk_views.account, name="account"),
    path("<uuid:account>/invite/", desk_views.invite, name="invite"),
    path("<uuid:account>/grant/", desk_views.grant, name="grant"),
    path("<uuid:account>/end-role/", desk_views.end_role, name="end_role"),
    path("<uuid:account>/close/", desk_views.close, name="close"),
]

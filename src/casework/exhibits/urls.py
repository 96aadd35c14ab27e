"""The addresses of exhibits."""

from __future__ import annotations

from django.urls import path

from casework.exhibits import hand_views, laboratory_views, store_views, views

app_name = "exhibits"

urlpatterns = [
    path("", views.exhibits, name="exhibits"),
    path("waiting/", hand_views.waiting, name="waiting"),
    path("store/", store_views.store, name="store"),
    path("store/place/", store_views.open_place, name="open_place"),
    path("store/place/<uuid:place>/", store_views.place, name="place"),
    path("store/place/<uuid:place>/close/", store_views.close_place, name="close_place"),
    path("store/seal/", store_views.keep_specimen, name="keep_specimen"),
    path("store/laboratory/", store_views.keep_laboratory, name="keep_laboratory"),
    path("locker/", store_views.locker_book, name="locker"),
    path("case/<uuid:case>/", views.case, name="case"),
    path("case/<uuid:case>/seizure/", views.record_seizure, name="record_seizure"),
    path("case/<uuid:case>/register/", views.register, name="register"),
    path("case/<uuid:case>/hand-over/", hand_views.offer_several, name="offer_several"),
    path("case/<uuid:case>/labels/", store_views.label_sheet, name="labels"),
    path("case/<uuid:case>/labels/paper/", store_views.label_paper, name="label_paper"),
    path("case/<uuid:case>/forward/", laboratory_views.forward, name="forward"),
    path("seizure/<uuid:seizure>/list/", laboratory_views.seizure_list, name="seizure_list"),
    path("hand-over/<uuid:offer>/", hand_views.acknowledge, name="acknowledge"),
    path("hand-over/<uuid:offer>/withdraw/", hand_views.withdraw_offer, name="withdraw_offer"),
    path("hand-over/<uuid:offer>/decline/", hand_views.decline, name="decline"),
    path("forwarding/<uuid:forwarding>/", laboratory_views.forwarding_page, name="forwarding"),
    path("forwarding/<uuid:forwarding>/send/", laboratory_views.send, name="send"),
    path("forwarding/<uuid:forwarding>/receipt/", laboratory_views.laboratory_receipt, name="laboratory_receipt"),
    path("forwarding/<uuid:forwarding>/back/", laboratory_views.laboratory_back, name="laboratory_back"),
    path("forwarding/<uuid:forwarding>/withdraw/", laboratory_views.withdraw_forwarding, name="withdraw_forwarding"),
    path("forwarding/<uuid:forwarding>/note/", laboratory_views.forwarding_note, name="forwarding_note"),
    path("order/<uuid:order>/", store_views.order, name="order"),
    path("order/<uuid:order>/viewing/", store_views.record_viewing, name="record_viewing"),
    path("order/<uuid:order>/withdraw/", store_views.withdraw_order, name="withdraw_order"),
    path("<uuid:exhibit>/", views.exhibit, name="exhibit"),
    path("<uuid:exhibit>/part/", views.register_part, name="register_part"),
    path("<uuid:exhibit>/correct/", views.correct, name="correct"),
    path("<uuid:exhibit>/withdraw/", views.withdraw, name="withdraw"),
    path("<uuid:exhibit>/court-number/", views.court_number, name="court_number"),
    path("<uuid:exhibit>/passcode/", views.passcode, name="passcode"),
    path("<uuid:exhibit>/photograph/", views.add_photograph, name="add_photograph"),
    path("<uuid:exhibit>/photograph/<uuid:photograph>/", views.photograph, name="photograph"),
    path("<uuid:exhibit>/hand-over/", hand_views.offer, name="offer"),
    path("<uuid:exhibit>/give/", hand_views.give, name="give"),
    path("<uuid:exhibit>/take-back/", hand_views.take_back, name="take_back"),
    path("<uuid:exhibit>/move/", hand_views.move, name="move"),
    path("<uuid:exhibit>/separate/", hand_views.separate, name="separate"),
    path("<uuid:exhibit>/seal/", hand_views.seal, name="seal"),
    path("<uuid:exhibit>/seal/break/", hand_views.break_seal, name="break_seal"),
    path("<uuid:exhibit>/image/", laboratory_views.image, name="image"),
    path("<uuid:exhibit>/image/<uuid:image>/verify/", laboratory_views.verify, name="verify"),
    path("<uuid:exhibit>/certificate/", laboratory_views.certificate, name="certificate"),
    path("<uuid:exhibit>/custody/paper/", laboratory_views.custody_paper, name="custody_paper"),
    path("<uuid:exhibit>/custody/<uuid:event>/receipt/", laboratory_views.receipt, name="receipt"),
    path("<uuid:exhibit>/locker/", store_views.book_locker, name="book_locker"),
    path("<uuid:exhibit>/order/", store_views.enter_order, name="enter_order"),
]

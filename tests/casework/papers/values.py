"""Values of every kind of paper; all names, words and numbers are invented."""

from __future__ import annotations

from typing import Any

from casework.papers.rules import Kind

INGA = {"name": "Inga", "rank": "inspector", "unit": "Cell of the north"}
BASHIR = {"name": "Bashir", "rank": "sub-inspector", "unit": "Cell of the north"}

HEAD: dict[str, Any] = {
    "case": {
        "number": "C/0042/2026",
        "fir": "0123/2026",
        "station": "Harbour",
        "district": "Kollam",
        "state": "Kerala",
        "sections": "POCSO 15(2); IT Act 67B",
        "court": "Special Court, Kollam",
    },
    "unit": "Cell of the north",
    "officer": INGA,
    "day": "2026-11-24",
    "place": "Kollam",
}

PHONE: dict[str, Any] = {
    "number": "EX/0042/2026/001",
    "kind": "mobile-phone",
    "description": "Nilavu X1, grey",
    "make": "Nilavu",
    "model": "X1",
    "colour": "grey",
    "serial": "NX1-88210",
    "imei": ["490154203237518", "490154203237526"],
    "mac": "02:00:5e:10:00:01",
    "other_id": "",
    "state_when_found": "on-locked",
    "isolation": "faraday-bag",
    "clock_offset": "+00:03:10 against IST",
    "place_found": "അലമാരയുടെ മുകളിൽ, കിടപ്പുമുറി",
    "found_at": "2026-11-24T04:30:00Z",
    "memo_line": "memo 3, line 1",
    "owner": "किशोर वर्मा",
    "seal": "S-000017",
    "court_number": "",
    "parent": "",
    "withdrawn": False,
}

SEIZURE_LIST: dict[str, Any] = {
    **HEAD,
    "memo": "3",
    "seized_at": "2026-11-24T04:30:00Z",
    "seized_place": "House 4, Lake Road",
    "seized_by": INGA,
    "legal_route": "warrant, BNSS 96",
    "witnesses": [{"name": "Ravi", "address": "Lake Road 5"}, {"name": "Mini", "address": "Lake Road 9"}],
    "copy_given_to": "Suma",
    "recording": "two clips, 2026-11-24 10:02 and 10:06",
    "lines": [{**PHONE, "number_in_list": 1}],
}

CARD: dict[str, Any] = {
    **PHONE,
    "number": "EX/0042/2026/001.1",
    "kind": "sim-card",
    "description": "SIM card, blue",
    "make": "",
    "model": "",
    "colour": "blue",
    "serial": "",
    "imei": [],
    "mac": "",
    "other_id": "ICCID 8991 0000 1111 2222 333",
    "state_when_found": "not-a-device",
    "isolation": "not-needed",
    "clock_offset": "",
    "parent": "EX/0042/2026/001",
}

NOBODY_OUTSIDE: dict[str, Any] = {"outside": False, "office": "", "document": ""}


def hand_over(sequence: int, **changes: Any) -> dict[str, Any]:
    """Return one custody event."""
    event = {
        "sequence": sequence,
        "at": "2026-11-24T06:10:00Z",
        "given_by": INGA,
        "received_by": {**BASHIR, **NOBODY_OUTSIDE},
        "place_from": "House 4, Lake Road",
        "place_to": "Store 1, shelf B, locker 4",
        "purpose": "storage",
        "purpose_note": "",
        "condition": "as-before",
        "condition_note": "",
        "seal_before": "S-000017",
        "seal_after": "S-000017",
        "hash_check": "no-image",
        "giver_acknowledged_at": "2026-11-24T06:05:00Z",
        "receiver_acknowledged_at": "2026-11-24T06:10:00Z",
    }
    return {**event, **changes}


HASHES: list[dict[str, Any]] = [
    {
        "of": "image NN-1",
        "algorithm": "SHA-256",
        "value": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "at": "2026-11-25T05:00:00Z",
        "tool": "kaval 0.1.0",
        "result": "recorded",
    },
    {
        "of": "image NN-1",
        "algorithm": "MD5",
        "value": "098f6bcd4621d373cade4e832627b4f6",
        "at": "2026-11-25T05:00:00Z",
        "tool": "kaval 0.1.0",
        "result": "matched",
    },
]

CUSTODY_SEQUENCE: dict[str, Any] = {
    **HEAD,
    "exhibit": PHONE,
    "parts": [{**CARD, "custody": "inherits"}],
    "events": [
        hand_over(1, purpose="seizure", place_from="", seal_before="", at="2026-11-24T04:30:00Z"),
        hand_over(2),
        hand_over(
            3,
            at="2026-11-25T04:45:00Z",
            given_by=BASHIR,
            received_by={
                "name": "Leela",
                "rank": "",
                "unit": "",
                "outside": True,
                "office": "Regional laboratory",
                "document": "authority 12/2026",
            },
            purpose="forwarding",
            condition="seal-broken",
            condition_note="കവറിന്റെ അരികിൽ കീറൽ",
            hash_check="matched",
        ),
    ],
    "seals": [
        {
            "number": "S-000017",
            "kind": "tamper-bag",
            "applied_at": "2026-11-24T04:40:00Z",
            "applied_by": "Inga",
            "broken_at": "2026-11-25T04:50:00Z",
            "broken_by": "Leela",
            "break_reason": "examination",
        },
    ],
    "holder_now": {"name": "Leela", "rank": "", "unit": "", "outside": True, "office": "Regional laboratory"},
    "place_now": "Regional laboratory",
    "complete": True,
    "gaps": 0,
    "hashes": HASHES,
}

SIGNER: dict[str, Any] = {"name": "Inga", "parent": "Ravi", "address": "Cell of the north, Kollam"}

CERTIFICATE_63_B: dict[str, Any] = {
    **HEAD,
    "signer": SIGNER,
    "source": "mobile",
    "source_other": "",
    "make_model": "Nilavu X1",
    "colour": "grey",
    "serial": "NX1-88210",
    "identifiers": "IMEI 490154203237518, 490154203237526; MAC 02:00:5e:10:00:01",
    "other_details": "SIM card EX/0042/2026/001.1",
    "hashes": HASHES,
    "hash_report_enclosed": True,
    "record": "Extraction of the internal storage, image NN-1, 64 GB",
    "submission": "Special Court, Kollam; with the police report",
    "certificate_of": "EX/0042/2026/001",
    "date": "24/11/2026",
    "time": "15:30",
    "designation": "Examiner",
    "qualification": "Examiner of Electronic Evidence, IT Act 79A",
    "part_a": "CA/01/2026/0001",
}

CERTIFICATE_63_A: dict[str, Any] = {
    **{
        name: value
        for name, value in CERTIFICATE_63_B.items()
        if name not in ("designation", "qualification", "part_a")
    },
    "relation": ["managed", "operated"],
    "was_working": True,
    "working_note": "",
}

CERTIFICATE_65B: dict[str, Any] = {
    **HEAD,
    "signer": SIGNER,
    "designation": "Inspector",
    "device": "Nilavu X1, serial NX1-88210",
    "identifiers": "IMEI 490154203237518",
    "record": "Call records, 14 pages",
    "produced_by": "copied with kaval 0.1.0 behind a write blocker, printed",
    "period_from": "2023-01-01",
    "period_to": "2023-06-30",
    "lawful_control": True,
    "regular_use": True,
    "was_working": True,
    "working_note": "",
    "hashes": HASHES,
    "submission": "Special Court, Kollam",
    "certificate_of": "EX/0042/2026/001",
    "date": "24/11/2026",
    "time": "15:30",
}

FORWARDING_NOTE: dict[str, Any] = {
    **HEAD,
    "forwarding": "FW/0007/2026",
    "laboratory": {"name": "Regional laboratory", "address": "Hill Road, Kollam"},
    "signed_by": {"name": "Esther", "rank": "deputy-superintendent", "unit": "Cell of the north"},
    "authority": "LA 12/2026 of 20 November 2026",
    "history": "A telephone was seized at House 4 on 24 November 2026. ഫോൺ ലോക്ക് ചെയ്ത നിലയിലായിരുന്നു.",
    "questions": ["Which accounts are in use on the device?", "Are deleted messages of November 2026 recoverable?"],
    "lines": [
        {
            **PHONE,
            "number_in_list": 1,
            "list_number": "SL/01/2026/0001, 1",
            "seal_kind": "tamper-bag",
            "seal_number": "S-000017",
            "parcel": "P1",
        },
        {
            **CARD,
            "number_in_list": 2,
            "list_number": "SL/01/2026/0001, 2",
            "seal_kind": "paper",
            "seal_number": "S-000018",
            "parcel": "P1",
        },
    ],
    "specimen": {"description": "Round seal, letters CN, 22 mm", "impression": ""},
    "messenger": {"name": "Bashir", "rank": "sub-inspector", "document": "service card 4411"},
    "enclosures": ["Seizure list SL/01/2026/0001"],
    "fir_copy": True,
    "passcode_sent_sealed": True,
}

RECEIPT: dict[str, Any] = {
    **HEAD,
    "receipt_of": "EX/0042/2026/001, event 2",
    "lines": [PHONE, CARD],
    "event": hand_over(2),
    "returned": False,
}

AUDIT_HEAD: dict[str, Any] = {
    "unit": "Cell of the north",
    "day": "2026-11-24",
    "row": 12345,
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "made_at": "2026-11-24T04:30:00Z",
}

LABEL_SHEET: dict[str, Any] = {
    **HEAD,
    "labels": [
        {
            "number": f"EX/0042/2026/{index:03d}",
            "kind": "mobile-phone",
            "parent": "EX/0042/2026/001" if index == 2 else "",
            "seal": f"S-{index:06d}",
            "parcel": "P1",
            "code": f"https://kaval.example/exhibits/{index}/",
        }
        for index in range(1, 28)
    ],
}

OF_KIND: dict[Kind, dict[str, Any]] = {
    Kind.SEIZURE_LIST: SEIZURE_LIST,
    Kind.CUSTODY_SEQUENCE: CUSTODY_SEQUENCE,
    Kind.CERTIFICATE_63_A: CERTIFICATE_63_A,
    Kind.CERTIFICATE_63_B: CERTIFICATE_63_B,
    Kind.CERTIFICATE_65B: CERTIFICATE_65B,
    Kind.FORWARDING_NOTE: FORWARDING_NOTE,
    Kind.RECEIPT: RECEIPT,
    Kind.AUDIT_HEAD: AUDIT_HEAD,
    Kind.LABEL_SHEET: LABEL_SHEET,
}

"""The door of cases."""

from __future__ import annotations

from casework.cases.access import get_case
from casework.cases.charging import (
    Pick,
    Picks,
    add_element,
    end_support,
    lay_charge,
    picks_for,
    step_charge,
    support,
    withdraw_charge,
)
from casework.cases.child_paths import (
    Arrest,
    arrests,
    class_by_board,
    confirm_no_lockup,
    erase_child_path,
    open_child_path,
    set_erasure,
)
from casework.cases.clocks import count_anew, excuse, extend, meet
from casework.cases.courts import record_sitting
from casework.cases.deciding import decide, finish_task, give_task, refuse_task, withdraw_task
from casework.cases.demo import Demo, make_demo
from casework.cases.happening import record, strike
from casework.cases.models import Case, Charge
from casework.cases.queues import Queue, use_laboratory_queue
from casework.cases.reading import cases_open_to
from casework.cases.registering import end_case, link, open_case, register_fir, rename_case, reopen_case, unlink
from casework.cases.rest import router
from casework.cases.search import find
from casework.cases.vocabulary import Classification, ClockState, Happened, LinkKind, Outcome, Stage, State
from casework.cases.waiting import waiting_for

__all__ = [
    "Arrest",
    "Case",
    "Charge",
    "Classification",
    "ClockState",
    "Demo",
    "Happened",
    "LinkKind",
    "Outcome",
    "Pick",
    "Picks",
    "Queue",
    "Stage",
    "State",
    "add_element",
    "arrests",
    "cases_open_to",
    "class_by_board",
    "confirm_no_lockup",
    "count_anew",
    "decide",
    "end_case",
    "end_support",
    "erase_child_path",
    "excuse",
    "extend",
    "find",
    "finish_task",
    "get_case",
    "give_task",
    "lay_charge",
    "link",
    "make_demo",
    "meet",
    "open_case",
    "open_child_path",
    "picks_for",
    "record",
    "record_sitting",
    "refuse_task",
    "register_fir",
    "rename_case",
    "reopen_case",
    "router",
    "set_erasure",
    "step_charge",
    "strike",
    "support",
    "unlink",
    "use_laboratory_queue",
    "waiting_for",
    "withdraw_charge",
    "withdraw_task",
]

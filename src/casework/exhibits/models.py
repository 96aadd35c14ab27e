"""The tables of exhibits.

`Seizure` is one memo. `Exhibit` is registered, and later perhaps withdrawn or returned; a part inherits custody until
an event separates it. `CustodyEvent` has one state: written. `HandOver` is open, then acknowledged, withdrawn or
declined. `Seal` is applied, then perhaps broken. `Forwarding` is drafted, sent, received, returned, or withdrawn.
`Acquisition`, `HashRecord`, `LockerEntry`, `Viewing` have one state: written. Who held what, and which seal closes it,
follows from events; ``holder``, ``custody_sequence`` and ``place`` of an exhibit are written by the database itself,
by the trigger of an event (`triggers`), and the database refuses any other hand.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from casework.exhibits import rules
from casework.law import api as law
from casework.lib.records import Record
from casework.lib.sealed import SealedTextField


class Counter(models.Model):
    """The last number given in a row of numbers; its row is locked until the number stands or falls.

    .. no_pii:
    """

    scope = models.CharField(primary_key=True, max_length=120)
    last = models.PositiveBigIntegerField(default=0)


class Practice(law.LawRow):
    """What offices ask for without a statute: the rank that signs a forwarding note, what a viewing needs.

    .. no_pii:
    """

    key = models.CharField(max_length=60)
    value = models.CharField(max_length=300)
    text = models.TextField(blank=True)


class StoragePlace(Record):
    """A room, shelf and locker of a unit.

    .. no_pii:
    """

    unit = models.ForeignKey("accounts.Unit", on_delete=models.PROTECT, related_name="+")
    room = models.CharField(max_length=80)
    shelf = models.CharField(max_length=40, blank=True)
    locker = models.CharField(max_length=40, blank=True)
    for_material = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("unit", "room", "shelf", "locker"), name="exhibits_one_place_a_name"),
        )

    def __str__(self) -> str:
        return ", ".join(part for part in (self.room, self.shelf, self.locker) if part)


class Party(Record):
    """A pair of hands: a colleague's, or those of an outside person as they were on one occasion.

    .. pii: name of an outside person
    """

    account = models.OneToOneField("accounts.Account", null=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200, blank=True)
    office = models.CharField(max_length=20, blank=True)
    office_name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=(Q(account__isnull=False) & Q(name="")) | (Q(account__isnull=True) & ~Q(name="")),
                name="exhibits_party_inside_or_out",
            ),
        )

    @property
    def outside(self) -> bool:
        """Tell whether these hands are not of this house."""
        return self.account_id is None

    def __str__(self) -> str:
        if self.account is not None:
            return str(self.account)
        return f"{self.name}, {self.office_name}" if self.office_name else self.name


class Seizure(Record):
    """A seizure memo: where, when, by whom, before whom, on what footing (BNSS 103, 105, 106).

    .. pii: names and addresses of witnesses and of the one who was given the copy
    """

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+", db_index=False)
    memo = models.CharField(max_length=60)
    at = models.DateTimeField()
    place = models.CharField(max_length=300)
    officer_name = models.CharField(max_length=200)
    officer_rank = models.CharField(max_length=40)
    officer_unit = models.CharField(max_length=200)
    legal_route = models.CharField(max_length=200)
    witnesses = models.JSONField(default=list)
    copy_given_to = models.CharField(max_length=200, blank=True)
    recording = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("case", "memo"), name="exhibits_one_memo_a_number"),)

    def __str__(self) -> str:
        return self.memo


class Exhibit(Record):
    """The numbered thing in custody, or a part of it.

    .. pii: owner, place found, serial numbers; the passcode, sealed
    """

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+", db_index=False)
    unit = models.ForeignKey("accounts.Unit", on_delete=models.PROTECT, related_name="+", db_index=False)
    year = models.PositiveSmallIntegerField()
    register_no = models.PositiveIntegerField()
    part_no = models.PositiveSmallIntegerField(default=0)
    case_no = models.PositiveIntegerField()
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="parts")
    seizure = models.ForeignKey(Seizure, null=True, on_delete=models.PROTECT, related_name="exhibits", db_index=False)
    memo_line = models.PositiveSmallIntegerField(null=True)
    kind = models.CharField(max_length=20)
    description = models.CharField(max_length=300, blank=True)
    make = models.CharField(max_length=80, blank=True)
    model = models.CharField(max_length=80, blank=True)
    colour = models.CharField(max_length=40, blank=True)
    serial = models.CharField(max_length=80, blank=True)
    imei_1 = models.CharField(max_length=15, blank=True)
    imei_2 = models.CharField(max_length=15, blank=True)
    imei_as_read = models.BooleanField(default=False)
    mac = models.CharField(max_length=17, blank=True)
    other_mark = models.CharField(max_length=120, blank=True)
    found_state = models.CharField(max_length=20)
    isolation = models.CharField(max_length=20)
    clock_offset = models.IntegerField(null=True)
    clock_note = models.CharField(max_length=120, blank=True)
    passcode_state = models.CharField(max_length=20)
    passcode = SealedTextField(null=True)
    place_found = models.CharField(max_length=300, blank=True)
    found_at = models.DateTimeField(null=True)
    owner = models.CharField(max_length=200, blank=True)
    court_number = models.CharField(max_length=60, blank=True)
    is_material = models.BooleanField(default=False)
    taken_from = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="copies")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True)
    returned_at = models.DateTimeField(null=True)
    holder = models.ForeignKey(Party, null=True, on_delete=models.PROTECT, related_name="held", db_index=False)
    place = models.ForeignKey(StoragePlace, null=True, on_delete=models.PROTECT, related_name="held")
    custody_sequence = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("unit", "year", "register_no", "part_no"), name="exhibits_register_no"),
            models.UniqueConstraint(fields=("case", "case_no", "part_no"), name="exhibits_case_no"),
            models.UniqueConstraint(fields=("seizure", "memo_line", "part_no"), name="exhibits_memo_line"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True, part_no=0) | Q(parent__isnull=False, part_no__gt=0),
                name="exhibits_part_has_whole",
            ),
        )
        indexes = (
            models.Index(fields=("case", "-created_at", "-id"), name="exhibits_of_case"),
            models.Index(fields=("holder", "-created_at", "-id"), name="exhibits_of_holder"),
        )

    def __str__(self) -> str:
        return rules.shown_number(self.register_no, self.part_no, self.year)

    @property
    def number(self) -> str:
        """Return the number as it is written on labels and papers."""
        return str(self)

    @property
    def summary(self) -> str:
        """Return make, model and colour in one line, or the description where there are none."""
        return " ".join(part for part in (self.make, self.model, self.colour) if part) or self.description

    @property
    def inherits(self) -> bool:
        """Tell whether this is a part that still moves with its whole."""
        return self.parent_id is not None and self.custody_sequence == 0


class Mark(models.Model):
    """A number by which an exhibit is looked for: its own, a serial, an IMEI, what stands on a seal; letters and
    digits only.

    .. pii: numbers of devices
    """

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="marks")
    kind = models.CharField(max_length=20)
    value = models.CharField(max_length=120)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("exhibit", "kind", "value"), name="exhibits_mark_once"),)
        indexes = (
            models.Index(fields=("value", "exhibit"), name="exhibits_mark_value"),
            models.Index(fields=("value",), name="exhibits_mark_prefix", opclasses=("varchar_pattern_ops",)),
        )


class Photograph(Record):
    """A photograph of an exhibit or of a seal, made anew from the file that came; never of the material itself.

    .. pii: whatever the photograph shows
    """

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="photographs")
    caption = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    received_sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    taken_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)


class Specimen(Record):
    """The impression of a seal of the unit, against which the laboratory compares.

    .. no_pii:
    """

    unit = models.ForeignKey("accounts.Unit", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    text = models.CharField(max_length=200)
    kept_by = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("unit", "name"), name="exhibits_one_specimen_a_name"),)

    def __str__(self) -> str:
        return self.name


class Seal(Record):
    """What closes an exhibit, from when, by whom, until when and why; at most one at a time.

    .. pii: names of colleagues
    """

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="seals", db_index=False)
    unit = models.ForeignKey("accounts.Unit", on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=20)
    mark = models.CharField(max_length=80, blank=True)
    specimen = models.ForeignKey(Specimen, null=True, on_delete=models.PROTECT, related_name="seals")
    applied_at = models.DateTimeField()
    applied_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=300)
    photograph = models.ForeignKey(Photograph, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    broken_at = models.DateTimeField(null=True)
    broken_by = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    broken_reason = models.CharField(max_length=500, blank=True)
    broken_photograph = models.ForeignKey(
        Photograph, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("unit", "number"), name="exhibits_seal_no"),
            models.UniqueConstraint(fields=("exhibit",), condition=Q(broken_at=None), name="exhibits_one_whole_seal"),
            models.UniqueConstraint(
                fields=("mark",), condition=Q(kind="tamper-bag") & ~Q(mark=""), name="exhibits_bag_used_once"
            ),
        )
        indexes = (models.Index(fields=("exhibit", "applied_at"), name="exhibits_seals_of"),)

    def __str__(self) -> str:
        return f"S-{self.number:06d}"


class HandOver(Record):
    """An exhibit offered from one pair of hands to another, as long as it waits; then what became of it.

    .. pii: names of colleagues
    """

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="offers", db_index=False)
    batch = models.UUIDField()
    after_sequence = models.PositiveIntegerField()
    giver = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="offered", db_index=False)
    receiver = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    offered_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    offered_at = models.DateTimeField()
    purpose = models.CharField(max_length=20)
    purpose_note = models.CharField(max_length=300, blank=True)
    condition = models.CharField(max_length=20)
    condition_note = models.CharField(max_length=300, blank=True)
    seal = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    giver_document = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=20, default=rules.OfferState.OPEN.value)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    closed_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("exhibit",), condition=Q(state="open"), name="exhibits_one_open_offer"),
        )
        indexes = (
            models.Index(fields=("receiver", "offered_at"), condition=Q(state="open"), name="exhibits_offers_to"),
            models.Index(fields=("offered_by", "offered_at"), condition=Q(state="open"), name="exhibits_offers_by"),
            models.Index(fields=("exhibit", "offered_at"), name="exhibits_offers_of"),
        )


class CustodyEvent(Record):
    """That an exhibit passed from one pair of hands to another; the hands also as values, as they were then.

    ``sequence`` counts from 1 without a gap; ``from_party`` is who received last, and nobody in the first event. A
    part's first event follows its whole: ``whole_sequence`` is the event of the whole after which it went its own way.

    .. pii: names of colleagues and outside persons
    """

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="custody", db_index=False)
    sequence = models.PositiveIntegerField()
    whole_sequence = models.PositiveIntegerField(null=True)
    from_party = models.ForeignKey(Party, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    to_party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+", db_index=False)
    giver_name = models.CharField(max_length=200, blank=True)
    giver_rank = models.CharField(max_length=40, blank=True)
    giver_unit = models.CharField(max_length=200, blank=True)
    receiver_name = models.CharField(max_length=200)
    receiver_rank = models.CharField(max_length=40, blank=True)
    receiver_unit = models.CharField(max_length=200, blank=True)
    receiver_outside = models.BooleanField(default=False)
    place = models.ForeignKey(StoragePlace, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    place_note = models.CharField(max_length=300, blank=True)
    purpose = models.CharField(max_length=20)
    purpose_note = models.CharField(max_length=300, blank=True)
    condition = models.CharField(max_length=20)
    condition_note = models.CharField(max_length=300, blank=True)
    seal_before = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    seal_after = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    hash_check = models.CharField(max_length=20)
    hash_note = models.CharField(max_length=300, blank=True)
    offered_at = models.DateTimeField()
    received_at = models.DateTimeField()
    giver_document = models.CharField(max_length=300, blank=True)
    receiver_document = models.CharField(max_length=300, blank=True)
    recorded_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    hand_over = models.OneToOneField(HandOver, null=True, on_delete=models.PROTECT, related_name="event")
    final = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("exhibit", "sequence"), name="exhibits_custody_sequence"),)

    def __str__(self) -> str:
        return str(self.sequence)


class Acquisition(Record):
    """The act of copying an exhibit, and what came of it; the image itself lies elsewhere.

    .. pii: names of colleagues
    """

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="acquisitions", db_index=False)
    number = models.PositiveSmallIntegerField()
    carrier = models.ForeignKey(Exhibit, null=True, on_delete=models.PROTECT, related_name="images")
    examiner = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    tool = models.CharField(max_length=120)
    tool_version = models.CharField(max_length=60)
    write_blocker = models.CharField(max_length=120, blank=True)
    method = models.CharField(max_length=20)
    form = models.CharField(max_length=60)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    size = models.PositiveBigIntegerField()
    segments = models.JSONField(default=list)
    errors = models.PositiveIntegerField(default=0)
    unread = models.JSONField(default=list)
    kept_at = models.CharField(max_length=300)
    note = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("exhibit", "number"), name="exhibits_acquisition_no"),)

    def __str__(self) -> str:
        return f"{self.exhibit}-{self.number}"


class HashRecord(Record):
    """A digest as it was computed once; a later one names the one it was compared with.

    .. no_pii:
    """

    acquisition = models.ForeignKey(Acquisition, on_delete=models.PROTECT, related_name="digests", db_index=False)
    of = models.CharField(max_length=200)
    algorithm = models.CharField(max_length=20)
    value = models.CharField(max_length=128)
    tool = models.CharField(max_length=180)
    at = models.DateTimeField()
    by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    compared_with = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="comparisons", db_index=False
    )
    result = models.CharField(max_length=20)
    event = models.ForeignKey(CustodyEvent, null=True, on_delete=models.PROTECT, related_name="digests")

    class Meta:
        indexes = (
            models.Index(fields=("acquisition", "at"), name="exhibits_digests_of"),
            models.Index(fields=("value",), name="exhibits_digest_value"),
        )


class Laboratory(Record):
    """A laboratory that takes exhibits.

    .. no_pii:
    """

    name = models.CharField(max_length=200, unique=True)
    address = models.CharField(max_length=300)

    def __str__(self) -> str:
        return self.name


class Forwarding(Record):
    """Exhibits sent to a laboratory with questions and a specimen of the seal.

    .. pii: the short history of the case, names of messengers
    """

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+", db_index=False)
    unit = models.ForeignKey("accounts.Unit", on_delete=models.PROTECT, related_name="+", db_index=False)
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    laboratory = models.ForeignKey(Laboratory, on_delete=models.PROTECT, related_name="forwardings", db_index=False)
    questions = models.JSONField()
    history = models.TextField()
    authority = models.CharField(max_length=300)
    specimen = models.ForeignKey(Specimen, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    signed_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    enclosures = models.JSONField(default=list)
    messenger_name = models.CharField(max_length=200, blank=True)
    messenger_rank = models.CharField(max_length=40, blank=True)
    messenger_document = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True)
    laboratory_number = models.CharField(max_length=80, blank=True)
    received_at = models.DateTimeField(null=True)
    seals_intact = models.BooleanField(null=True)
    returned_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("unit", "year", "number"), name="exhibits_forwarding_no"),)
        indexes = (
            models.Index(fields=("case", "-created_at", "-id"), name="exhibits_forwardings_of_case"),
            models.Index(
                fields=("sent_at",),
                condition=Q(sent_at__isnull=False, returned_at__isnull=True),
                name="exhibits_at_laboratory",
            ),
        )

    def __str__(self) -> str:
        return f"F {self.number:04d}/{self.year}"


class ForwardingLine(Record):
    """One exhibit in a forwarding, with the seal under which it went.

    .. no_pii:
    """

    forwarding = models.ForeignKey(Forwarding, on_delete=models.PROTECT, related_name="lines", db_index=False)
    line = models.PositiveSmallIntegerField()
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="forwardings")
    parcel = models.CharField(max_length=40, blank=True)
    seal = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("forwarding", "line"), name="exhibits_forwarding_line"),
            models.UniqueConstraint(fields=("forwarding", "exhibit"), name="exhibits_forwarded_once"),
        )


class LockerEntry(Record):
    """One line in the book of the locker for the material itself: in or out, in turn.

    .. pii: names of those who carry
    """

    package = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="locker_entries", db_index=False)
    sequence = models.PositiveIntegerField()
    direction = models.CharField(max_length=4)
    at = models.DateTimeField()
    place = models.ForeignKey(StoragePlace, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=20)
    document = models.CharField(max_length=300, blank=True)
    carried_by = models.CharField(max_length=200)
    witness = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    officer = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    seal = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("package", "sequence"), name="exhibits_locker_sequence"),)
        indexes = (models.Index(fields=("place", "-at", "-id"), name="exhibits_locker_book"),)


class ViewingOrder(Record):
    """A court's order that named persons may view a package.

    .. pii: names of the persons
    """

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+", db_index=False)
    package = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="viewing_orders")
    court = models.CharField(max_length=200)
    order = models.CharField(max_length=120)
    ordered_on = models.DateField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    persons = models.JSONField()
    conditions = models.TextField(blank=True)
    entered_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = (models.Index(fields=("case", "-created_at", "-id"), name="exhibits_orders_of_case"),)


class Viewing(Record):
    """That a package was viewed under an order: from when to when, who was present, under which seals.

    .. pii: names of those present
    """

    order = models.ForeignKey(ViewingOrder, on_delete=models.PROTECT, related_name="viewings", db_index=False)
    sequence = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    place = models.CharField(max_length=200)
    persons = models.JSONField()
    expert = models.CharField(max_length=200)
    devices_kept_out = models.BooleanField()
    seal_before = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    seal_after = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    supervised_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    note = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("order", "sequence"), name="exhibits_viewing_sequence"),)

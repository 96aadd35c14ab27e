"""The tables of people.

`Person` is entered and stays; ``access`` says whether the identity stands open or lies in the vault. `PersonName`,
`VaultEntry`: stand until withdrawn. `Birth`: the newest row stands. `PersonRole`: runs until ended; who was ever in a
case stays known to it. `Identifier` is one value for the whole house; `Sighting` tells in which case it came up, as it
was given. `Attribution`: stands, contested or not, until withdrawn. `Candidate`: what the machine thinks of a pair;
`Judgement`: what a person says, appended; the newest stands. `Enquiry`: told, then acknowledged. `WatchEntry`: under
watch until removed; `WatchReview`: appended. `BlockingKey`, `PersonText`, `IdentifierText`: derived, made anew at will.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from casework.accounts import api as accounts
from casework.law import api as law
from casework.lib import clock
from casework.lib.records import Record
from casework.lib.sealed import SealedTextField
from casework.people.rules import (
    AccessClass,
    Alive,
    Basis,
    Confidence,
    IdentifierKind,
    NameKind,
    Precision,
    Proof,
    RoleKind,
    Script,
    VaultKind,
    Verdict,
)


def _choices(vocabulary: Any) -> list[tuple[str, str]]:
    return [(word.value, word.value.replace("-", " ")) for word in vocabulary]


def _by(name: str) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(accounts.Account, on_delete=models.PROTECT, related_name=name)


class Person(Record):
    """Somebody; nothing by which one is recognised is a column here.

    ``code`` is what is shown where the name must not be. ``cluster`` is the id of one of those judged the same person.
    ``sought_at`` is when the machine last looked for the same person; None where a look is due.

    .. pii: sex
    """

    code = models.CharField(max_length=16, unique=True)
    sex = models.CharField(max_length=20, blank=True, choices=_choices(law.Sex))
    alive = models.CharField(max_length=10, choices=_choices(Alive), default=Alive.UNKNOWN)
    access = models.CharField(max_length=12, choices=_choices(AccessClass), default=AccessClass.ORDINARY)
    cluster = models.UUIDField(db_index=True)
    sought_at = models.DateTimeField(null=True)
    entered_by = _by("+")

    class Meta:
        indexes = (models.Index(fields=("created_at",), condition=Q(sought_at=None), name="persons_to_be_sought"),)

    def __str__(self) -> str:
        return self.code

    @property
    def is_shut_away(self) -> bool:
        """Tell whether the identity lies in the vault."""
        return self.access != AccessClass.ORDINARY


class PersonName(Record):
    """A name as it is written in one script, with a Latin writing beside it.

    ``sound`` is the cross-script sound key of the whole name.

    .. pii: names; never of a protected person
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="names")
    text = models.CharField(max_length=200)
    script = models.CharField(max_length=12, choices=_choices(Script))
    romanised = models.CharField(max_length=300)
    kind = models.CharField(max_length=16, choices=_choices(NameKind))
    sound = models.CharField(max_length=200)
    entered_by = _by("+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("person", "withdrawn_at"), name="names_of_person"),
            models.Index(fields=("sound",), name="names_by_sound"),
        )


class Birth(Record):
    """When a person was born, between two days, by which proof; the newest row stands.

    Of a protected person the days lie in ``sealed`` and the plain columns are empty.

    .. pii: the days of birth
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="births")
    born_from = models.DateField(null=True)
    born_to = models.DateField(null=True)
    sealed = SealedTextField(null=True)
    precision = models.CharField(max_length=10, choices=_choices(Precision))
    proof = models.CharField(max_length=20, choices=_choices(Proof))
    verified_by = models.CharField(max_length=200, blank=True)
    verified_on = models.DateField(null=True)
    entered_by = _by("+")

    class Meta:
        indexes = (models.Index(fields=("person", "-created_at"), name="births_of_person"),)


class VaultEntry(Record):
    """A part of the identity of a protected person, sealed; opened by few, each time on record.

    .. pii: sealed
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="vault")
    kind = models.CharField(max_length=10, choices=_choices(VaultKind))
    content = SealedTextField()
    entered_by = _by("+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("person", "withdrawn_at"), name="vault_of_person"),)


class PersonRole(Record):
    """What a person is in a case, from when until when; the case is known by its id only.

    .. pii: that a person is in a case
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="roles")
    case = models.UUIDField()
    role = models.CharField(max_length=20, choices=_choices(RoleKind))
    access = models.CharField(max_length=12, choices=_choices(AccessClass))
    since = models.DateField(null=True)
    until = models.DateField(null=True)
    ended_reason = models.CharField(max_length=500, blank=True)
    entered_by = _by("+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("person", "case", "role"), condition=Q(until=None), name="one_running_role_a_case"
            ),
        )
        indexes = (
            models.Index(fields=("case", "-created_at", "-id"), name="roles_in_case"),
            models.Index(fields=("person", "case"), name="roles_of_person"),
        )


class Identifier(Record):
    """One value in its one normal form, for all cases; who may know it depends on where it was seen.

    .. pii: the value
    """

    kind = models.CharField(max_length=10, choices=_choices(IdentifierKind))
    platform = models.CharField(max_length=80, blank=True)
    value = models.CharField(max_length=300)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "platform", "value"), name="one_row_a_value"),)

    def __str__(self) -> str:
        return f"{self.value} ({self.platform})" if self.platform else self.value


class Sighting(Record):
    """That an identifier came up in a case: as it was given, when it held, by which source.

    A time of unknown zone stays as it was given, and ``at`` is empty.

    .. pii: the value as given
    """

    identifier = models.ForeignKey(Identifier, on_delete=models.PROTECT, related_name="sightings")
    case = models.UUIDField()
    as_given = models.CharField(max_length=300)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    port = models.PositiveIntegerField(null=True)
    at = models.DateTimeField(null=True)
    time_as_given = models.CharField(max_length=60, blank=True)
    zone = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=300)
    entered_by = _by("+")

    class Meta:
        indexes = (
            models.Index(fields=("case", "-created_at", "-id"), name="sightings_in_case"),
            models.Index(fields=("identifier", "case"), name="sightings_of_identifier"),
        )


class Attribution(Record):
    """That an identifier is said to be a person's: by what, how surely, and whether somebody says it is not.

    .. pii: whose an identifier is
    """

    identifier = models.ForeignKey(Identifier, on_delete=models.PROTECT, related_name="attributions")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="attributions")
    case = models.UUIDField()
    basis = models.CharField(max_length=20, choices=_choices(Basis))
    confidence = models.CharField(max_length=10, choices=_choices(Confidence))
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    contested_reason = models.CharField(max_length=500, blank=True)
    contested_at = models.DateTimeField(null=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    entered_by = _by("+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("identifier", "person", "case"), condition=Q(withdrawn_at=None), name="attributed_once_a_case"
            ),
        )
        indexes = (models.Index(fields=("person", "withdrawn_at"), name="attributions_of_person"),)


class Candidate(Record):
    """That the machine takes two rows for one person; ``one`` has the smaller id. It decides nothing.

    .. pii: that two may be one
    """

    one = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    score = models.FloatField()
    criteria = models.JSONField()
    scored_by = models.CharField(max_length=40)
    scored_at = models.DateTimeField(default=clock.now)
    verdict = models.CharField(max_length=10, choices=_choices(Verdict), default=Verdict.OPEN)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("one", "other"), name="one_candidate_a_pair"),
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="candidate_in_order"),
        )
        indexes = (
            models.Index(fields=("one", "verdict", "-score"), name="candidates_by_one"),
            models.Index(fields=("other", "verdict", "-score"), name="candidates_by_other"),
        )


class Judgement(Record):
    """What a person says of a pair; never changed, the newest stands, ``open`` takes the word before back.

    .. pii: that two are one
    """

    one = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    verdict = models.CharField(max_length=10, choices=_choices(Verdict))
    reason = models.CharField(max_length=500)
    judged_by = _by("+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("one", "other", "number"), name="one_judgement_a_number"),
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="judgement_in_order"),
        )
        indexes = (models.Index(fields=("other",), name="judgements_by_other"),)


class Enquiry(Record):
    """That somebody without a right to a case was told whom to talk to; those who lead that case see it.

    .. no_pii:
    """

    asked_by = _by("+")
    asked_case = models.UUIDField()
    other_case = models.UUIDField()
    identifier = models.ForeignKey(Identifier, null=True, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    answered = models.BooleanField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(accounts.Account, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = (models.Index(fields=("other_case", "acknowledged_at", "-created_at"), name="enquiries_into_case"),)


class WatchEntry(Record):
    """That a person is under watch: on which legal basis, since when, to be looked at again when.

    .. pii: that a person is under watch
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(accounts.Unit, on_delete=models.PROTECT, related_name="+")
    case = models.UUIDField()
    basis = models.CharField(max_length=300)
    reason = SealedTextField()
    since = models.DateField()
    review_on = models.DateField()
    entered_by = _by("+")
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(accounts.Account, null=True, on_delete=models.PROTECT, related_name="+")
    removed_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("person", "unit"), condition=Q(removed_at=None), name="watched_once_a_unit"
            ),
        )
        indexes = (
            models.Index(fields=("unit", "removed_at", "review_on", "id"), name="watch_by_review"),
            models.Index(fields=("person", "removed_at"), name="watch_of_person"),
        )


class WatchReview(Record):
    """That somebody looked at an entry again, and why it stays.

    .. no_pii:
    """

    entry = models.ForeignKey(WatchEntry, on_delete=models.PROTECT, related_name="reviews")
    reviewed_by = _by("+")
    reason = models.CharField(max_length=500)
    review_on = models.DateField()


class BlockingKey(models.Model):
    """A derived number under which persons stand who may be the same; see `matching.keys`.

    .. pii: derived from names
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    key = models.BigIntegerField()

    class Meta:
        indexes = (models.Index(fields=("key", "person"), name="blocking_by_key"),)


class PersonText(models.Model):
    """What the search knows of a person: words, their Latin writings, their sounds; not of a protected one.

    .. pii: names
    """

    id = models.BigAutoField(primary_key=True)
    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="+")
    words = models.TextField()


class IdentifierText(models.Model):
    """What the search knows of an identifier.

    .. pii: the value
    """

    id = models.BigAutoField(primary_key=True)
    identifier = models.OneToOneField(Identifier, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=400)

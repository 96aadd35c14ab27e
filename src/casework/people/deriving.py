"""What is derived from a person and made anew after each change: the words of the search, the keys of the blocking."""

from __future__ import annotations

from casework.people import search
from casework.people.matching import profiles
from casework.people.models import Person


def refresh(person: Person) -> None:
    """Make everything derived anew; of a protected person nothing is left. A look for the same person is due."""
    search.keep_person(person)
    profiles.keep_keys(person)
    Person.objects.filter(pk=person.pk).update(sought_at=None)

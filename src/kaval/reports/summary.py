"""In short: what a reader must know before the tables, in a few sentences that claim no more than the facts."""

from __future__ import annotations

from kaval.reports import wording
from kaval.reports.gathering import Facts
from kaval.reports.moments import count_text, size_text


def in_short(facts: Facts) -> list[tuple[str, str]]:
    """Return pairs of a heading and its sentences."""
    return [
        ("What was examined", _examined(facts)),
        ("Was the copy verified", wording.VERDICTS[_verdict(facts)]),
        ("How many files", _files(facts)),
        ("What matched", _matched(facts)),
        ("What applications noted", _noted(facts)),
        ("What could not be read", not_read(facts)),
    ]


def _verdict(facts: Facts) -> str:
    verdict = str(facts.manifest.get("source", {}).get("verification"))
    return verdict if verdict in wording.VERDICTS else "not-computed"


def _several(count: int, one: str, many: str) -> str:
    return one if count == 1 else many.format(count_text(count))


def _examined(facts: Facts) -> str:
    source = facts.manifest.get("source", {})
    size = source.get("decoded_size") or source.get("size")
    form = source.get("title") or source.get("container") or "of no recognised format"
    length = f", {size_text(size)} ({count_text(size)} bytes)" if size else ""
    systems = sum(1 for row in facts.sources if row.stage == "filesystem" and row.depth == 0)
    holding = _several(systems, "one file system was found", "{} file systems were found")
    if not systems:
        holding = "no file system was recognised on it" if size else "its files were listed as they lie"
    return f"The source “{source.get('name', '')}” ({form}{length}); {holding}."


def _files(facts: Facts) -> str:
    read = int(facts.manifest.get("counts", {}).get("digests", 0))
    if not facts.files:
        return "No file was listed."
    listed = _several(facts.files, "One file was listed", "{} files were listed")
    deleted = _several(facts.deleted_files, "one of them is a deleted one", "{} of them are deleted ones")
    if not facts.deleted_files:
        deleted = "none of them is a deleted one"
    return f"{listed}, those inside archives included; {deleted}. {count_text(read)} were read and digested."


def _matched(facts: Facts) -> str:
    sets = [known for known in facts.known_sets if known.role == "alert"]
    if not sets:
        return "No known set of role alert was used, so that nothing could be pointed out."
    alert = facts.alert
    used = _several(len(sets), "the one known set of role alert", "the {} known sets of role alert")
    if not alert["files"]:
        return (
            f"No file agrees with {used}. That says only that none of the files that were read is in the sets that "
            "were used; it says nothing about other content."
        )
    total = _several(alert["files"], "One file agrees", "{} files agree")
    sentence = (
        f"{total} with {used}: {count_text(alert['exact'])} exactly, by digest; "
        f"{count_text(alert['near'])} by appearance only. "
        f"Deleted among them: {count_text(alert['deleted'])}."
    )
    if alert["doubtful"]:
        doubtful = _several(alert["doubtful"], "For one of them", "For {} of them")
        sentence += f" {doubtful} something speaks against the content being whole; each says what."
    return sentence


def _noted(facts: Facts) -> str:
    noted = facts.noted
    if not noted.kinds:
        if not facts.manifest.get("plan", {}).get("artefacts", False):
            return "Messages, calls and the like were not read."
        return "No messages, calls or other records of applications known to this software were found."
    kinds = [f"{wording.ARTEFACT_KINDS.get(kind, kind)} ({count_text(count)})" for kind, count in noted.by_kind[:4]]
    more = ", and others" if len(noted.by_kind) > 4 else ""
    sentence = f"Records of applications were read, most of them {', '.join(kinds).lower()}{more}."
    if noted.recovered:
        one = "One of the records is no longer shown by its application and was recovered."
        sentence += " " + _several(noted.recovered, one, "{} of the records are no longer shown and were recovered.")
    if noted.missing:
        one = "One file that records speak of is not present."
        sentence += " " + _several(noted.missing, one, "{} files that records speak of are not present.")
    missing = sum(absent for role, _, _, absent in noted.mentioned if role == "alert")
    if missing:
        one = "One record gives the digest of a file of a set of role alert that is not present."
        sentence += " " + _several(missing, one, "{} records give digests of files of sets of role alert not present.")
    return sentence


def not_read(facts: Facts) -> str:
    """Return one honest paragraph about the gaps of the examination."""
    counts = {group.code: group.count for group in facts.notices}
    gaps = []
    for codes, one, many in wording.GAPS:
        count = sum(counts.get(code, 0) for code in codes)
        if count:
            gaps.append(_several(count, one, many))
    if not gaps:
        return (
            "Nothing that was recognised was left unread. Space that belongs to no listed file may still hold content; "
            "the section on method says how far it was searched."
        )
    said = gaps[0] if len(gaps) == 1 else "; ".join(gaps[:-1]) + "; and " + gaps[-1]
    return f"{said[0].upper()}{said[1:]}. What lies there may be of importance and is not covered by this report."

"""Documents, databases, programs, fonts, and text by its characters."""

from __future__ import annotations

import re
from typing import ClassVar

from kaval.filetypes import FILETYPES, FileType
from kaval.filetypes.signatures import Signature, first_fit, kind, types_of

PDF = kind("application/pdf", "PDF document", "pdf", "ai")
RTF = kind("application/rtf", "Rich text", "rtf")
OLE = kind("application/x-ole-storage", "Older Office document", "doc", "xls", "ppt", "msg", "msi", "db", "vsd", "pub")
POSTSCRIPT = kind("application/postscript", "PostScript", "ps", "eps")
HTML = kind("text/html", "HTML page", "html", "htm", "xhtml")
XML = kind("application/xml", "XML document", "xml", "xsd", "kml", "gpx", "plist", "rss", "xmp", "opf", "xsl")
JSON = kind("application/json", "JSON document", "json", "geojson")
TEXT = kind("text/plain", "Plain text")
EMAIL = kind("message/rfc822", "E-mail message", "eml", "mht")
SQLITE = kind("application/vnd.sqlite3", "SQLite database", "sqlite", "sqlite3", "db", "db3", "sqlitedb")
SQLITE_WAL = kind("application/x-sqlite-wal", "SQLite write-ahead log", "db-wal", "sqlite-wal", "wal")
ESE = kind("application/x-ese-database", "Extensible Storage Engine database", "edb", "dat")
PLIST = kind("application/x-bplist", "Binary property list", "plist", "bplist")
HIVE = kind("application/x-registry-hive", "Windows registry hive", "dat", "hve")
EVTX = kind("application/x-evtx", "Windows event log", "evtx")
LNK = kind("application/x-ms-shortcut", "Windows shortcut", "lnk")
THUMBCACHE = kind("application/x-thumbcache", "Windows thumbnail cache", "db")
PST = kind("application/vnd.ms-outlook-pst", "Outlook mailbox", "pst", "ost")
EXE = kind("application/vnd.microsoft.portable-executable", "Windows program", "exe", "dll", "sys", "scr", "ocx")
ELF = kind("application/x-elf", "ELF program", "so", "elf", "ko", "o")
MACHO = kind("application/x-mach-binary", "Mach-O program", "dylib")
DEX = kind("application/x-dex", "Android bytecode", "dex", "odex")
CLASS = kind("application/java-vm", "Java bytecode", "class")
TTF = kind("font/ttf", "TrueType font", "ttf", "ttc")
OTF = kind("font/otf", "OpenType font", "otf")
WOFF = kind("font/woff", "Web font", "woff", "woff2")


def _class(head: bytes, size: int) -> bool:
    return 0x2D <= int.from_bytes(head[6:8], "big") <= 0x60


def _fat_binary(head: bytes, size: int) -> bool:
    return 0 < int.from_bytes(head[4:8], "big") < 0x2D


def _program(head: bytes, size: int) -> bool:
    place = int.from_bytes(head[60:64], "little")
    return 64 <= place < max(size, 64) and (
        place + 4 > len(head) or head[place : place + 2] in (b"PE", b"NE", b"LE", b"LX")
    )


SIGNATURES = (
    Signature(b"%PDF-", PDF),
    Signature(b"{\\rtf", RTF),
    Signature(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    Signature(b"%!PS-", POSTSCRIPT),
    Signature(b"SQLite format 3\0", SQLITE),
    Signature(b"\x37\x7f\x06\x82", SQLITE_WAL),
    Signature(b"\x37\x7f\x06\x83", SQLITE_WAL),
    Signature(b"\xef\xcd\xab\x89", ESE, 4),
    Signature(b"bplist0", PLIST),
    Signature(b"regf", HIVE, 0, lambda head, size: size >= 4096),
    Signature(b"ElfFile\0", EVTX),
    Signature(b"L\0\0\0\x01\x14\x02\0", LNK),
    Signature(b"CMMM", THUMBCACHE),
    Signature(b"!BDN", PST),
    Signature(b"MZ", EXE, 0, _program),
    Signature(b"\x7fELF", ELF),
    Signature(b"\xcf\xfa\xed\xfe", MACHO),
    Signature(b"\xce\xfa\xed\xfe", MACHO),
    Signature(b"\xca\xfe\xba\xbe", CLASS, 0, _class),
    Signature(b"\xca\xfe\xba\xbe", MACHO, 0, _fat_binary),
    Signature(b"dex\n0", DEX),
    Signature(b"\0\x01\0\0\0", TTF, 0, lambda head, size: 3 < head[5] < 64 and size > 256),
    Signature(b"ttcf\0", TTF),
    Signature(b"OTTO\0", OTF),
    Signature(b"wOFF", WOFF),
    Signature(b"wOF2", WOFF),
)

_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|script)[\s>]", re.IGNORECASE)
_MAIL = re.compile(rb"(?:Return-Path|Received|From|Message-ID|MIME-Version|Delivered-To): [^\n]+\n", re.IGNORECASE)


@FILETYPES.register
class Documents:
    """Documents, databases, programs, fonts, text."""

    name: ClassVar[str] = "documents"
    title: ClassVar[str] = "Documents, databases, programs, text"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ()
    types: ClassVar[tuple[FileType, ...]] = types_of(SIGNATURES, HTML, XML, JSON, EMAIL, TEXT)

    def identify(self, head: bytes, size: int) -> FileType | None:
        found = first_fit(SIGNATURES, head, size)
        return found or _text(head)


def _text(head: bytes) -> FileType | None:
    """Return the kind of text a stream starts with; bytes that no text holds mean that it is none."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _wide_text(head)
    if _BINARY.search(head) or not head.strip():
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4 and sum(byte > 127 for byte in head) * 10 > len(head) * 3:
            return None
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if _MARKUP.match(head):
        return HTML
    if start.startswith(b"<?xml"):
        return XML
    if start[:1] in (b"{", b"[") and re.match(rb'[\[{]\s*(["{\[\]}]|-?\d|true|false|null)', start):
        return JSON
    return EMAIL if _MAIL.match(head) else TEXT


def _wide_text(head: bytes) -> FileType | None:
    whole = head[: len(head) // 2 * 2]
    try:
        decoded = whole.decode("utf-16", "strict" if len(whole) < 64 else "ignore")
    except UnicodeDecodeError:
        return None
    told = decoded.lstrip("\ufeff")
    printable = sum(character.isprintable() or character in "\r\n\t" for character in told)
    return TEXT if told and printable > 0.9 * len(told) else None

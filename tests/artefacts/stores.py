"""Stores of messengers and systems as applications make them, with invented names and nonsense words only."""

from __future__ import annotations

import base64
import gzip
import hashlib
import struct

PICTURE = b"an invented picture"
PICTURE_SHA256 = hashlib.sha256(PICTURE).hexdigest()
PICTURE_BASE64 = base64.b64encode(hashlib.sha256(PICTURE).digest()).decode()

WHATSAPP = f"""
CREATE TABLE jid (_id INTEGER PRIMARY KEY, user TEXT, server TEXT, raw_string TEXT);
CREATE TABLE chat (_id INTEGER PRIMARY KEY, jid_row_id INTEGER, subject TEXT, created_timestamp INTEGER);
CREATE TABLE message (_id INTEGER PRIMARY KEY AUTOINCREMENT, chat_row_id INTEGER NOT NULL, from_me INTEGER NOT NULL,
  key_id TEXT NOT NULL, sender_jid_row_id INTEGER, timestamp INTEGER, received_timestamp INTEGER,
  message_type INTEGER, text_data TEXT, starred INTEGER, origination_flags INTEGER);
CREATE TABLE message_media (message_row_id INTEGER PRIMARY KEY, file_path TEXT, file_size INTEGER, mime_type TEXT,
  file_hash TEXT, media_name TEXT, media_caption TEXT);
CREATE TABLE message_quoted (message_row_id INTEGER PRIMARY KEY, key_id TEXT);
CREATE TABLE message_location (message_row_id INTEGER PRIMARY KEY, latitude REAL, longitude REAL, place_name TEXT);
CREATE TABLE group_participant_user (_id INTEGER PRIMARY KEY, group_jid_row_id INTEGER, user_jid_row_id INTEGER,
  rank INTEGER, add_timestamp INTEGER);
CREATE TABLE group_past_participant_user (_id INTEGER PRIMARY KEY, group_jid_row_id INTEGER, user_jid_row_id INTEGER,
  is_leave INTEGER, timestamp INTEGER);
CREATE TABLE message_add_on (_id INTEGER PRIMARY KEY, chat_row_id INTEGER, from_me INTEGER, key_id TEXT,
  sender_jid_row_id INTEGER, parent_message_row_id INTEGER, timestamp INTEGER);
CREATE TABLE message_add_on_reaction (message_add_on_row_id INTEGER PRIMARY KEY, reaction TEXT);
CREATE TABLE call_log (_id INTEGER PRIMARY KEY, jid_row_id INTEGER, from_me INTEGER, call_id TEXT, timestamp INTEGER,
  video_call INTEGER, duration INTEGER, call_result INTEGER, group_jid_row_id INTEGER);
INSERT INTO jid VALUES (1, 'tarn', 's.whatsapp.net', 'tarn@s.whatsapp.net'), (2, 'osk', 's.whatsapp.net',
  'osk@s.whatsapp.net'), (3, '120-7', 'g.us', '120-7@g.us');
INSERT INTO chat VALUES (1, 1, NULL, NULL), (2, 3, 'Lopel vindra', 1700000000000);
INSERT INTO message VALUES
  (1, 1, 1, 'K1', NULL, 1700000100000, 0, 0, 'mirul benta', NULL, 0),
  (2, 1, 0, 'K2', NULL, 1700000200000, 1700000201000, 0, 'quor silde', NULL, 1),
  (3, 2, 0, 'K3', 2, 1700000300000, 1700000301000, 1, NULL, 1, 0),
  (4, 2, 0, 'K4', 1, 1700000400000, 1700000401000, 5, NULL, NULL, 0),
  (5, 2, 0, 'K5', 2, 1700000500000, 1700000501000, 0, 'വാക്ക് शब्द', NULL, 0),
  (6, 2, 0, 'K6', 2, 1700000600000, 1700000601000, 0, 'gone one tarn osk lopel', NULL, 0),
  (7, 2, 0, 'K7', 1, 1700000700000, 1700000701000, 0, 'gone two vindra mirul', NULL, 0),
  (8, 1, 1, 'K8', NULL, 1700000800000, 0, 0, 'last one stays', NULL, 0);
INSERT INTO message_media VALUES (3, 'Media/WhatsApp Images/IMG-1.jpg', {len(PICTURE)}, 'image/jpeg',
  '{PICTURE_BASE64}', NULL, 'caption benta');
INSERT INTO message_quoted VALUES (5, 'K3');
INSERT INTO message_location VALUES (4, 10.5, 76.25, 'Nowhere');
INSERT INTO group_participant_user VALUES (1, 3, 1, 1, 1700000010000), (2, 3, 2, 0, 1700000020000);
INSERT INTO group_past_participant_user VALUES (1, 3, 2, 1, 1700000900000);
INSERT INTO message_add_on VALUES (1, 1, 1, 'A1', NULL, 2, 1700000210000);
INSERT INTO message_add_on_reaction VALUES (1, '+');
INSERT INTO call_log VALUES (1, 1, 0, 'C1', 1700001000000, 1, 61, 5, NULL);
"""

WHATSAPP_CONTACTS = """
CREATE TABLE wa_contacts (_id INTEGER PRIMARY KEY, jid TEXT, is_whatsapp_user INTEGER, status TEXT,
  status_timestamp INTEGER, number TEXT, display_name TEXT, given_name TEXT, family_name TEXT, wa_name TEXT);
INSERT INTO wa_contacts VALUES (1, 'tarn@s.whatsapp.net', 1, 'busy', 1690000000000, '+00 1', 'Tarn Quor', NULL, NULL,
  'tq'), (2, 'osk@s.whatsapp.net', 1, NULL, 0, '+00 2', NULL, 'Osk', 'Silde', NULL);
"""

WHATSAPP_OLDER = f"""
CREATE TABLE messages (_id INTEGER PRIMARY KEY AUTOINCREMENT, key_remote_jid TEXT, key_from_me INTEGER, key_id TEXT,
  status INTEGER, data TEXT, timestamp INTEGER, media_mime_type TEXT, media_wa_type TEXT, media_size INTEGER,
  media_name TEXT, media_caption TEXT, media_hash TEXT, latitude REAL, longitude REAL, remote_resource TEXT,
  received_timestamp INTEGER, receipt_server_timestamp INTEGER, quoted_row_id INTEGER);
CREATE TABLE messages_quotes (_id INTEGER PRIMARY KEY, key_id TEXT);
CREATE TABLE chat_list (_id INTEGER PRIMARY KEY, key_remote_jid TEXT, subject TEXT, creation INTEGER);
CREATE TABLE group_participants (_id INTEGER PRIMARY KEY, gjid TEXT, jid TEXT, admin INTEGER);
INSERT INTO chat_list VALUES (1, 'tarn@s.whatsapp.net', NULL, NULL), (2, '7@g.us', 'Lopel', 1500000000000);
INSERT INTO group_participants VALUES (1, '7@g.us', 'tarn@s.whatsapp.net', 1), (2, '7@g.us', 'osk@s.whatsapp.net', 0);
INSERT INTO messages_quotes VALUES (9, 'M1');
INSERT INTO messages VALUES
  (1, '-1', 0, '-1', -1, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL, 0, -1, NULL),
  (2, 'tarn@s.whatsapp.net', 1, 'M1', 5, 'mirul', 1500000001000, NULL, '0', 0, NULL, NULL, NULL, 0, 0, NULL, 0,
   1500000002000, 0),
  (3, '7@g.us', 0, 'M2', 0, NULL, 1500000003000, 'image/jpeg', '1', {len(PICTURE)}, 'a.jpg', 'benta',
   '{PICTURE_BASE64}', 0, 0, 'osk@s.whatsapp.net', 1500000004000, -1, 9);
"""

WHATSAPP_IOS = f"""
CREATE TABLE ZWACHATSESSION (Z_PK INTEGER PRIMARY KEY, ZCONTACTJID VARCHAR, ZPARTNERNAME VARCHAR, ZGROUPINFO INTEGER,
  ZLASTMESSAGEDATE TIMESTAMP);
CREATE TABLE ZWAGROUPINFO (Z_PK INTEGER PRIMARY KEY, ZCREATIONDATE TIMESTAMP, ZCREATORJID VARCHAR);
CREATE TABLE ZWAGROUPMEMBER (Z_PK INTEGER PRIMARY KEY, ZCHATSESSION INTEGER, ZMEMBERJID VARCHAR, ZCONTACTNAME VARCHAR,
  ZISADMIN INTEGER, ZISACTIVE INTEGER);
CREATE TABLE ZWAMEDIAITEM (Z_PK INTEGER PRIMARY KEY, ZMESSAGE INTEGER, ZFILESIZE INTEGER, ZLATITUDE FLOAT,
  ZLONGITUDE FLOAT, ZMEDIALOCALPATH VARCHAR, ZTITLE VARCHAR, ZVCARDNAME VARCHAR, ZVCARDSTRING VARCHAR);
CREATE TABLE ZWAMESSAGE (Z_PK INTEGER PRIMARY KEY, ZCHATSESSION INTEGER, ZMEDIAITEM INTEGER, ZGROUPMEMBER INTEGER,
  ZMESSAGEDATE TIMESTAMP, ZSENTDATE TIMESTAMP, ZISFROMME INTEGER, ZFROMJID VARCHAR, ZTOJID VARCHAR, ZTEXT VARCHAR,
  ZSTANZAID VARCHAR, ZMESSAGETYPE INTEGER, ZSTARRED INTEGER, ZPARENTMESSAGE INTEGER);
INSERT INTO ZWACHATSESSION VALUES (1, 'tarn@s.whatsapp.net', 'Tarn', NULL, 700000000.5),
  (2, '7@g.us', 'Lopel', 1, NULL);
INSERT INTO ZWAGROUPINFO VALUES (1, 690000000, 'osk@s.whatsapp.net');
INSERT INTO ZWAGROUPMEMBER VALUES (1, 2, 'osk@s.whatsapp.net', 'Osk', 1, 1), (2, 2, 'tarn@s.whatsapp.net', NULL, 0, 0);
INSERT INTO ZWAMEDIAITEM VALUES (1, 2, {len(PICTURE)}, 0, 0, 'Media/a/b/IMG.jpg', 'benta', '{PICTURE_BASE64}',
  'image/jpeg');
INSERT INTO ZWAMESSAGE VALUES
  (1, 1, NULL, NULL, 700000000.25, NULL, 1, NULL, 'tarn@s.whatsapp.net', 'mirul', 'S1', 0, 0, NULL),
  (2, 2, 1, 1, 700000100, 700000099, 0, '7@g.us', NULL, NULL, 'S2', 1, 0, 1),
  (3, 2, NULL, 1, 700000200, NULL, 0, '7@g.us', NULL, 'gone tarn osk lopel', 'S3', 0, 0, NULL),
  (4, 1, NULL, NULL, 700000300, NULL, 0, 'tarn@s.whatsapp.net', NULL, 'quor', 'S4', 0, 0, NULL);
"""


def typedstream(text: str) -> bytes:
    """Return an attributed string as NSArchiver writes it, as far as its text goes."""
    encoded = text.encode()
    if len(encoded) < 0x80:
        length = bytes([len(encoded)])
    elif len(encoded) < 0x10000:
        length = b"\x81" + struct.pack("<H", len(encoded))
    else:
        length = b"\x82" + struct.pack("<I", len(encoded))
    head = b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x12NSAttributedString\x00\x84\x84\x08NSObject\x00"
    return head + b"\x85\x92\x84\x84\x84\x08NSString\x01\x94\x84\x01+" + length + encoded + b"\x86\x84\x02iI\x01\x05"


SMS_IOS = f"""
CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT, service TEXT);
CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid TEXT, style INTEGER, chat_identifier TEXT, service_name TEXT,
  display_name TEXT, account_login TEXT, room_name TEXT);
CREATE TABLE message (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT, text TEXT, subject TEXT, handle_id INTEGER,
  attributedBody BLOB, service TEXT, account TEXT, date INTEGER, date_read INTEGER, date_delivered INTEGER,
  is_from_me INTEGER, is_read INTEGER, is_sent INTEGER, item_type INTEGER, thread_originator_guid TEXT);
CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER);
CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER);
CREATE TABLE attachment (ROWID INTEGER PRIMARY KEY, guid TEXT, filename TEXT, transfer_name TEXT, mime_type TEXT,
  total_bytes INTEGER);
CREATE TABLE message_attachment_join (message_id INTEGER, attachment_id INTEGER);
INSERT INTO handle VALUES (1, '+001', 'iMessage'), (2, '+002', 'SMS');
INSERT INTO chat VALUES (1, 'iMessage;-;+001', 45, '+001', 'iMessage', NULL, 'P:+009', NULL),
  (2, 'iMessage;+;chat7', 43, 'chat7', 'iMessage', 'Lopel', 'P:+009', 'chat7');
INSERT INTO chat_handle_join VALUES (1, 1), (2, 1), (2, 2);
INSERT INTO message VALUES
  (1, 'G1', 'mirul', NULL, 1, NULL, 'iMessage', 'P:+009', 700000000000000000, 0, 0, 1, 0, 1, 0, NULL),
  (2, 'G2', NULL, NULL, 1, x'{typedstream("ശബ്ദം quor").hex()}', 'iMessage', 'P:+009', 700000100000000000,
   700000200000000000, 0, 0, 1, 0, 0, 'G1'),
  (3, 'G3', 'benta', NULL, 2, NULL, 'SMS', 'P:+009', 700000300, 0, 0, 0, 0, 0, 0, NULL);
INSERT INTO chat_message_join VALUES (1, 1), (2, 2), (2, 3);
INSERT INTO attachment VALUES (1, 'A1', '~/Library/SMS/Attachments/a/IMG.HEIC', 'IMG.HEIC', 'image/heic', 1234);
INSERT INTO message_attachment_join VALUES (3, 1);
"""

CALLS_IOS = """
CREATE TABLE ZCALLRECORD (Z_PK INTEGER PRIMARY KEY, ZANSWERED INTEGER, ZCALLTYPE INTEGER, ZORIGINATED INTEGER,
  ZDATE TIMESTAMP, ZDURATION FLOAT, ZADDRESS VARCHAR, ZNAME VARCHAR, ZISO_COUNTRY_CODE VARCHAR,
  ZSERVICE_PROVIDER VARCHAR, ZUNIQUE_ID VARCHAR);
CREATE TABLE ZHANDLE (Z_PK INTEGER PRIMARY KEY, ZVALUE VARCHAR);
CREATE TABLE Z_2REMOTEPARTICIPANTHANDLES (Z_2REMOTEPARTICIPANTCALLS INTEGER, Z_4REMOTEPARTICIPANTHANDLES INTEGER);
INSERT INTO ZCALLRECORD VALUES (1, 1, 1, 0, 700000000, 61.5, '+001', 'Tarn', 'xx', 'com.apple.Telephony', 'U1'),
  (2, 0, 1, 0, 700000100, 0, '+002', NULL, 'xx', 'com.apple.Telephony', 'U2'),
  (3, 1, 8, 1, 700000200, 5, NULL, NULL, NULL, 'net.whatsapp.WhatsApp', 'U3');
INSERT INTO ZHANDLE VALUES (1, '+003');
INSERT INTO Z_2REMOTEPARTICIPANTHANDLES VALUES (3, 1);
"""

CONTACTS_IOS = """
CREATE TABLE ABPerson (ROWID INTEGER PRIMARY KEY, First TEXT, Last TEXT, Middle TEXT, Organization TEXT, Note TEXT,
  CreationDate INTEGER, ModificationDate INTEGER, StoreID INTEGER, Birthday TEXT);
CREATE TABLE ABMultiValue (UID INTEGER PRIMARY KEY, record_id INTEGER, property INTEGER, label INTEGER, value TEXT);
CREATE TABLE ABMultiValueLabel (value TEXT);
CREATE TABLE ABMultiValueEntry (parent_id INTEGER, key INTEGER, value TEXT);
CREATE TABLE ABMultiValueEntryKey (value TEXT);
CREATE TABLE ABStore (ROWID INTEGER PRIMARY KEY, Name TEXT);
INSERT INTO ABStore VALUES (1, 'Local');
INSERT INTO ABPerson VALUES (1, 'Tarn', 'Quor', NULL, NULL, 'a note', 600000000, 600000100, 1, NULL),
  (2, NULL, NULL, NULL, 'Benta & Co', NULL, 600000200, NULL, 1, NULL);
INSERT INTO ABMultiValueLabel VALUES ('_$!<Mobile>!$_'), ('_$!<Home>!$_');
INSERT INTO ABMultiValue VALUES (1, 1, 3, 1, '+001'), (2, 1, 4, 2, 'tarn@example.org'), (3, 1, 5, 2, NULL);
INSERT INTO ABMultiValueEntryKey VALUES ('City');
INSERT INTO ABMultiValueEntry VALUES (3, 1, 'Nowhere');
"""


def note_body(text: str) -> bytes:
    """Return a note's body as Notes stores it."""

    def field(number: int, content: bytes) -> bytes:
        assert len(content) < 0x80
        return bytes([number << 3 | 2, len(content)]) + content

    inner = field(3, field(2, text.encode()))
    return gzip.compress(b"\x08\x00" + field(2, b"\x08\x00\x10\x00" + inner), mtime=0)


NOTES_IOS = f"""
CREATE TABLE ZICCLOUDSYNCINGOBJECT (Z_PK INTEGER PRIMARY KEY, ZTITLE1 VARCHAR, ZTITLE2 VARCHAR, ZSNIPPET VARCHAR,
  ZFOLDER INTEGER, ZACCOUNT3 INTEGER, ZNAME VARCHAR, ZCREATIONDATE1 TIMESTAMP, ZMODIFICATIONDATE1 TIMESTAMP,
  ZISPASSWORDPROTECTED INTEGER, ZPASSWORDHINT VARCHAR, ZMARKEDFORDELETION INTEGER, ZIDENTIFIER VARCHAR, ZNOTE INTEGER,
  ZATTACHMENT1 INTEGER, ZMEDIA INTEGER, ZFILENAME VARCHAR, ZFILESIZE INTEGER, ZTYPEUTI VARCHAR, ZTITLE VARCHAR,
  ZISPINNED INTEGER);
CREATE TABLE ZICNOTEDATA (Z_PK INTEGER PRIMARY KEY, ZNOTE INTEGER, ZDATA BLOB);
INSERT INTO ZICCLOUDSYNCINGOBJECT (Z_PK, ZTITLE2) VALUES (1, 'Folder');
INSERT INTO ZICCLOUDSYNCINGOBJECT (Z_PK, ZNAME) VALUES (2, 'On this device');
INSERT INTO ZICCLOUDSYNCINGOBJECT (Z_PK, ZTITLE1, ZFOLDER, ZACCOUNT3, ZCREATIONDATE1, ZMODIFICATIONDATE1,
  ZISPASSWORDPROTECTED, ZIDENTIFIER) VALUES (3, 'Mirul', 1, 2, 600000000, 600000100, 0, 'N3'),
  (4, 'Locked', 1, 2, 600000200, 600000300, 1, 'N4');
INSERT INTO ZICCLOUDSYNCINGOBJECT (Z_PK, ZNOTE, ZFILESIZE, ZTYPEUTI) VALUES (5, 3, 99, 'public.jpeg');
INSERT INTO ZICCLOUDSYNCINGOBJECT (Z_PK, ZATTACHMENT1, ZFILENAME, ZIDENTIFIER) VALUES (6, 5, 'p.jpg', 'M6');
INSERT INTO ZICNOTEDATA VALUES (1, 3, x'{note_body("Mirul quor silde").hex()}'), (2, 4, x'00');
"""

VOICEMAIL_IOS = """
CREATE TABLE voicemail (ROWID INTEGER PRIMARY KEY, remote_uid INTEGER, date INTEGER, sender TEXT, callback_num TEXT,
  duration INTEGER, trashed_date INTEGER, flags INTEGER, receiver TEXT, label TEXT);
CREATE TABLE map (label TEXT, account TEXT);
INSERT INTO voicemail VALUES (1, 11, 1700000000, '+001', '+001', 12, 0, 3, '+009', 'L'),
  (2, 12, 1700000100, '+002', '+002', 5, 700000000, 75, '+009', 'L');
INSERT INTO map VALUES ('L', '8900');
"""


def tl_string(text: str) -> bytes:
    """Return a TL string."""
    encoded = text.encode()
    if len(encoded) < 254:
        stored = bytes([len(encoded)]) + encoded
    else:
        stored = b"\xfe" + len(encoded).to_bytes(3, "little") + encoded
    return stored + bytes(-len(stored) % 4)


USER, CHANNEL = 0x59511722, 0xA2A5371E


def tl_message(
    text: str,
    date: int,
    *,
    sender: int | None = None,
    forwarded: bool = False,
    reply: int | None = None,
    path: str = "",
) -> bytes:
    """Return a message as Telegram serialises it (layer 179 on), with what follows the text left out."""
    flags = (1 << 8 if sender else 0) | (1 << 2 if forwarded else 0) | (1 << 3 if reply else 0)
    parts = [struct.pack("<IIIi", 0x94345242, flags, 0, 77)]
    if sender:
        parts.append(struct.pack("<Iq", USER, sender))
    parts.append(struct.pack("<Iq", USER, 5))
    if forwarded:
        parts.append(struct.pack("<IIIqi", 0x4E4DF4BB, 1, USER, 9, 1600000000))
    if reply:
        parts.append(struct.pack("<IIi", 0xAFBC09DB, 16, reply))
    return b"".join(parts) + struct.pack("<i", date) + tl_string(text) + (tl_string(path) if path else b"")


TELEGRAM = f"""
CREATE TABLE users (uid INTEGER PRIMARY KEY, name TEXT, status INTEGER, data BLOB);
CREATE TABLE chats (uid INTEGER PRIMARY KEY, name TEXT, data BLOB);
CREATE TABLE dialogs (did INTEGER PRIMARY KEY, date INTEGER, unread_count INTEGER);
CREATE TABLE user_contacts_v7 (key TEXT PRIMARY KEY, uid INTEGER, fname TEXT, sname TEXT, imported INTEGER);
CREATE TABLE user_phones_v7 (key TEXT, phone TEXT, sphone TEXT, deleted INTEGER);
CREATE TABLE messages_v2 (mid INTEGER, uid INTEGER, read_state INTEGER, send_state INTEGER, date INTEGER, data BLOB,
  out INTEGER, PRIMARY KEY (mid, uid));
INSERT INTO users VALUES (5, 'tarn quor;;;tarnq', 1700000000, x''), (9, 'osk;;;', -1, x'');
INSERT INTO chats VALUES (7, 'Lopel', x'');
INSERT INTO dialogs VALUES (5, 1700000500, 0), (-7, 1700000600, 2);
INSERT INTO user_contacts_v7 VALUES ('k1', 5, 'Tarn', 'Quor', 1);
INSERT INTO user_phones_v7 VALUES ('k1', '+001', '001', 0);
INSERT INTO messages_v2 VALUES
  (1, 5, 3, 0, 1700000100, x'{tl_message("mirul benta", 1700000100).hex()}', 1),
  (2, 5, 3, 0, 1700000200, x'{tl_message("ശബ്ദം", 1700000200, sender=5, reply=1, path="/x/f.jpg").hex()}', 0),
  (3, -7, 3, 0, 1700000300, x'{tl_message("quor", 1700000300, sender=9, forwarded=True).hex()}', 0),
  (4, -7, 3, 0, 1700000400, x'{
    (struct.pack("<III", 0x12345678, 1, 2) + struct.pack("<i", 1700000400) + tl_string("found by its date")).hex()
}', 0),
  (5, -7, 3, 0, 1700000450, x'{
    struct.pack("<IIiIqiI", 0x2B085862, 0, 5, CHANNEL, 7, 1700000450, 0x9FBAB604).hex()
}', 0);
"""

CHROMIUM = """
CREATE TABLE urls (id INTEGER PRIMARY KEY, url TEXT, title TEXT, visit_count INTEGER, typed_count INTEGER,
  last_visit_time INTEGER);
CREATE TABLE visits (id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, from_visit INTEGER, transition INTEGER,
  visit_duration INTEGER);
CREATE TABLE keyword_search_terms (keyword_id INTEGER, url_id INTEGER, term TEXT, normalized_term TEXT);
CREATE TABLE downloads (id INTEGER PRIMARY KEY, guid TEXT, current_path TEXT, target_path TEXT, start_time INTEGER,
  total_bytes INTEGER, received_bytes INTEGER, state INTEGER, end_time INTEGER, mime_type TEXT, tab_url TEXT);
CREATE TABLE downloads_url_chains (id INTEGER, chain_index INTEGER, url TEXT);
INSERT INTO urls VALUES (1, 'https://example.org/?q=mirul', 'Mirul', 2, 1, 13300000000000000),
  (2, 'https://example.net/', 'Gone', 7, 0, 13200000000000000);
INSERT INTO visits VALUES (1, 1, 13300000000000000, 0, 805306369, 2500000), (2, 1, 13300000001000000, 1, 0, 0);
INSERT INTO keyword_search_terms VALUES (2, 1, 'Mirul', 'mirul');
INSERT INTO downloads VALUES (1, 'D1', 'C:\\u\\a.zip', 'C:\\u\\a.zip', 13300000002000000, 10, 10, 1,
  13300000003000000, 'application/zip', 'https://example.org/');
INSERT INTO downloads_url_chains VALUES (1, 0, 'https://example.org/a'), (1, 1, 'https://cdn.example.org/a.zip');
"""

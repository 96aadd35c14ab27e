"""What NTFS keeps of deleted files outside their records: index slack, the change journal, the transaction log.

By the layout the linux-ntfs project documented and ``libfsntfs`` describes. The file table is read once more, through
the tree, for the sequence numbers that tell a deleted file from one that lives; nothing here decides by a name alone
where a reference was kept.
"""

"""The Sleuth Kit as a reader of bytes we hand it: an image over a source, its inodes, names and runs.

Never give pytsk3 a path: it opens an E01 as a raw disk without a word. Here it sees nothing but ``read_at``.
"""

from kaval.filesystems.sleuthkit.volume import Clock, Inode, Name, SleuthkitVolume, Stored

__all__ = ["Clock", "Inode", "Name", "SleuthkitVolume", "Stored"]

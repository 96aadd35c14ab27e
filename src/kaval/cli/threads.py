"""Keeps the libraries of the command line from starting threads of their own; to be loaded before they are.

The work is shared out between processes, one for each worker, so that a library's own threads only get into their
way; and a process without threads can be copied (`kaval.stages.pool`).
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

"""The demonstration: builds neutral evidence with a known truth, has it examined, and counts what came back.

Everything is generated from a seed and shows shapes, gradients and landscapes made of noise. Volumes are written
by small writers of our own, without root, mounts or loop devices; ``mkntfs`` and ``mke2fs`` make the empty ones.
"""

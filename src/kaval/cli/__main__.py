"""Lets ``python -m kaval.cli`` stand for ``kaval``."""

from kaval.cli import main

main()

"""The command line: speaks with a person at a terminal, and decides nothing about evidence."""

from __future__ import annotations

import sys

import click

from kaval.cli.exits import Exit, exit_for
from kaval.core.errors import KavalError


class _Group(click.Group):
    """Finds its commands when they are asked for, so that ``kaval --help`` is there at once."""

    commands_by_name = {  # noqa: RUF012
        "capabilities": "kaval.cli.asking:capabilities",
        "cluster": "kaval.cli.clustering:cluster",
        "examine": "kaval.cli.examining:examine_command",
        "extract": "kaval.cli.extracting:extract",
        "graph": "kaval.cli.conversing:graph",
        "known": "kaval.cli.known:known",
        "query": "kaval.cli.asking:query",
        "report": "kaval.cli.reporting:report",
        "search": "kaval.cli.searching:search_command",
        "show": "kaval.cli.asking:show",
        "timeline": "kaval.cli.timelines:timeline",
        "verify": "kaval.cli.checking:verify",
    }

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(self.commands_by_name)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        import importlib

        if name not in self.commands_by_name:
            return None
        module, _, attribute = self.commands_by_name[name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="kaval")
def kaval() -> None:
    """From an exhibit to a report: examine seized devices so that a court can rely on it.

    \b
    kaval examine disk.E01 --exhibit MO-7 --authority "Order 12/2026" --out mo-7
    kaval show mo-7
    kaval report mo-7
    kaval verify mo-7 --source disk.E01
    """


def main() -> None:
    """Run the command line; errors become one clear sentence and an exit code."""
    try:
        code = kaval.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("kaval: interrupted; an examination can be taken up again with --resume", err=True)
        sys.exit(Exit.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except KavalError as error:
        click.echo(f"kaval: {error}", err=True)
        sys.exit(exit_for(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(Exit.DONE)
    sys.exit(code if isinstance(code, int) else Exit.DONE)

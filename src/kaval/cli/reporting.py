"""``kaval report``: the document for a person to sign and another to check."""

from __future__ import annotations

from pathlib import Path

import click

from kaval.cli.exits import Exit


@click.command("report")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--format", "formats", type=click.Choice(["html", "pdf"]), multiple=True, default=("html", "pdf"), show_default=True
)
@click.option("--with-thumbnails", is_flag=True, help="Show thumbnails of hits, small, grey and blurred.")
@click.option("--clear", is_flag=True, help="With --with-thumbnails: not blurred.")
@click.option("--seal-key", type=click.Path(path_type=Path), help="File of the key of the sealed store.")
@click.option("--zone", default="Asia/Kolkata", show_default=True, help="Zone in which moments are written.")
def report(
    folder: Path,
    formats: tuple[str, ...],
    with_thumbnails: bool,
    clear: bool,
    seal_key: Path | None,
    zone: str,
) -> int:
    """Write FOLDER/report/report.html and report.pdf."""
    from kaval.folder.sealed import SealingKey
    from kaval.folder.views import load_manifest
    from kaval.reports import write_report
    from kaval.stages.preparation import default_key_path

    key = None
    if with_thumbnails:
        manifest = load_manifest(folder)
        key = SealingKey.load(seal_key or default_key_path(manifest["examination"]))
    for path in write_report(
        folder, formats=formats, thumbnails=with_thumbnails, key=key, clear_thumbnails=clear, zone=zone
    ):
        click.echo(str(path))
    return Exit.DONE

"""The two commands that need no corpus, `clean` and `dedup`: good neighbours in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from pipelines.cli import answer, as_json, cli, remark, with_config
from pipelines.errors import InputError
from pipelines.report import plural, printable

if TYPE_CHECKING:
    from pipelines.cleaning import Job, Outcome
    from pipelines.config import Config
    from pipelines.records import Document

ENDINGS = {"text": "txt", "markdown": "md", "json": "json"}
INPUT_FAILED = InputError.exit_code


@cli.command()
@click.argument("paths", metavar="PATH…", nargs=-1)
@click.option("--url", default="", help="The address the page was saved from.")
@click.option(
    "--urls",
    "urls_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help='JSON Lines of {"path", "url"}: the address of each page.',
)
@click.option(
    "--format", "form", type=click.Choice(list(ENDINGS)), default="text", show_default=True, help="What to write."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write one file a page into this folder.")
@click.option("--no-site-memory", is_flag=True, help="Look at each page alone, even when several are of one site.")
@with_config
def clean(
    *,
    paths: tuple[str, ...],
    url: str,
    urls_file: Path | None,
    form: str,
    out: Path | None,
    no_site_memory: bool,
    config: Config,
) -> int:
    """Print what a page says and nothing else of it.

    Menus, comments, teasers and text said twice are left out. PATH is saved HTML, a .txt file of flattened text (a block a line), or - for stdin. Pages of one site given
    together inform each other: what stands on many of them belongs to the site. Needs no corpus.

    Example: copydesk clean page.html
             copydesk clean --urls urls.jsonl --out cleaned/ saved/*.html
    """
    from pipelines.cleaning import clean_jobs, read_addresses

    addresses = read_addresses(urls_file, sys.stdin.buffer) if urls_file else {}
    names = paths or tuple(addresses)
    if not names:
        raise click.UsageError("no page given; name files, or - for stdin")
    if url and (urls_file or len(names) > 1):
        raise click.UsageError("--url is the address of one page; for more use --urls FILE")
    if str(urls_file) == "-" and "-" in names:
        raise click.UsageError("stdin cannot be both a page and --urls")
    if url:
        check_url(url)
    jobs, failed = read_jobs(names, url, addresses, config)
    failed += write_outcomes(
        clean_jobs(jobs, config, is_remembering=not no_site_memory), form, out, is_alone=len(names) == 1
    )
    return INPUT_FAILED if failed else 0


def read_jobs(names: Sequence[str], url: str, addresses: Mapping[str, str], config: Config) -> tuple[list[Job], int]:
    """Read every page; tell in a line each, and count, those that cannot be used."""
    from pipelines.cleaning import read_job

    jobs: list[Job] = []
    failed = 0
    for name in names:
        job = read_job(name, url or addresses.get(name, ""), config, sys.stdin.buffer)
        if isinstance(job, InputError):
            remark(f"copydesk: {job}")
            failed += 1
        else:
            jobs.append(job)
    return jobs, failed


def check_url(url: str) -> None:
    from pipelines.urls import normal_form

    if not normal_form(url):
        raise click.BadParameter(f"{url!r} is no http(s) address", param_hint="--url")


def write_outcomes(outcomes: Iterator[tuple[Job, Outcome]], form: str, out: Path | None, *, is_alone: bool) -> int:
    """Write every cleaned page, in order; return how many pages could not be used."""
    from pipelines.export import whole_file
    from pipelines.records import Rejection

    failed = 0
    taken: set[str] = set()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    for job, outcome in outcomes:
        if isinstance(outcome, Rejection):
            remark(f"copydesk: {job.name}: {outcome.reason}" + (f" ({outcome.detail})" if outcome.detail else ""))
            failed += 1
            continue
        if not outcome.text:
            remark(f"{job.name}: no article found in it")
        content = rendered(outcome, form)
        if out is None:
            print_page(job.name, content, form, is_alone=is_alone)
        else:
            with whole_file(out / free_name(job, ENDINGS[form], taken)) as file:
                file.write((content + "\n").encode("utf-8", "replace"))
    return failed


def rendered(cleaned: Document, form: str) -> str:
    from pipelines.explain import as_dict, as_markdown

    if form == "json":
        return as_json(as_dict(cleaned))
    return as_markdown(cleaned) if form == "markdown" else cleaned.text


def print_page(name: str, content: str, form: str, *, is_alone: bool) -> None:
    """Several texts get the heading `head` and `tail` give; JSON is one line a page and needs none."""
    if form == "json":
        click.echo(content)
        return
    if not is_alone:
        answer(f"==> {name} <==")
    click.echo(printable(content))
    if not is_alone:
        click.echo()


def free_name(job: Job, ending: str, taken: set[str]) -> str:
    """`<stem>.<ending>`; the second page of that name gets a number, and is told so."""
    stem, number = job.stem, 1
    name = f"{stem}.{ending}"
    while name.casefold() in taken:  # some file systems do not tell A from a
        number += 1
        name = f"{stem}-{number}.{ending}"
    taken.add(name.casefold())
    if number > 1:
        remark(f"{job.name}: written as {name}, because {stem}.{ending} is another page's")
    return name


@cli.command()
@click.argument("file", metavar="IN.jsonl", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--text", "text_field", default="text", show_default=True, help="The field that holds the text.")
@click.option("--id", "id_field", default="id", show_default=True, help="The field that names the line.")
@click.option(
    "--time", "time_field", default=None, help="The field with its time; then only texts of the same days are copies."
)
@click.option("--stories", is_flag=True, help="Also say which lines tell of one event in other words.")
@click.option("--out", type=click.Path(path_type=Path), default="-", help="Where to write. [default: stdout]")
@with_config
def dedup(
    *, file: Path, text_field: str, id_field: str, time_field: str | None, stories: bool, out: Path, config: Config
) -> int:
    """Find copies among the lines of a JSON Lines file.

    The lines may hold any kind of text, and no corpus is needed. Each line comes back with cluster (the id of its cluster's canonical line), canonical, relation (original, exact,
    near, contained, version), similarity and, with --stories, story. No line is dropped: a broken one comes back as
    it was and is named on stderr. IN.jsonl may be - for stdin.

    Example: copydesk dedup --id id --text body --stories news.jsonl
    """
    from pipelines.dedup.batch import dedup_lines
    from pipelines.export import whole_file

    with opened(file) as source, whole_file(out) as target:
        report = dedup_lines(
            source,
            target,
            text_field=text_field,
            id_field=id_field,
            time_field=time_field,
            stories=stories,
            config=config.dedup,
        )
    for number, what in report.broken:
        remark(f"copydesk: {file}:{number}: {what}")
    if time_field and report.lines and not report.timed:
        why = "has a time that can be read in" if report.with_time_field else "has"
        remark(f"no line {why} the field {time_field!r}: copies were looked for without times")
    told = [plural(report.lines, "line"), plural(report.clusters, "cluster"), plural(report.copies, "copy", "copies")]
    if stories:
        told.append(plural(report.stories, "story", "stories"))
    remark(" · ".join(told))
    return INPUT_FAILED if report.broken else 0


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, or stdin's for "-"; an `InputError` when it cannot be opened."""
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(
            str(path), error.strerror.lower() if error.strerror else str(error), "a file we may read"
        ) from None
    with file:
        yield file

"""Tasks over the processors of this machine, or over machines with Spark: the same function for each file either way.

Each engine gives what became of a task as soon as it knows, in any order; a task that failed comes as an error, and costs
only its own file. pyspark is imported here and nowhere else.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from contextlib import suppress
from functools import partial
from typing import Any

from pipelines.archive.parts import Report, report_of
from pipelines.archive.task import Task, read_archive
from pipelines.config import Config
from pipelines.errors import ConfigError, CopydeskError, InputError, MissingExtraError, one_line
from pipelines.workers import LostTaskError, Workers

FILE_SECONDS = 12 * 3600.0  # a file of 20,000 pages takes ten minutes; one in which every second page hangs takes a day
TRIES = 4  # of a task on Spark: one lost with its machine is no fault of the file
SUBMITTED = ("PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT")  # somebody says which cluster: the user, or spark-submit
ALONE = {  # a Spark of our own listens to nobody else, and is quiet
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
Outcome = Report | CopydeskError
Engine = Callable[[Sequence[Task], Config, int], Iterator[tuple[Task, Outcome]]]


def local(tasks: Sequence[Task], config: Config, jobs: int) -> Iterator[tuple[Task, Outcome]]:
    """Read the files in `jobs` processes."""
    workers = Workers(config, jobs, ("pipelines.archive.task",), seconds=FILE_SECONDS, is_parent=True)
    try:
        waiting = {workers.call(read_archive, task, config): task for task in tasks}
        for done in as_completed(waiting):
            yield waiting[done], outcome_of(waiting[done], done)
    finally:
        workers.abandon()  # at the end there is nothing left; before, somebody does not want to wait ten minutes
        workers.close()


def outcome_of(task: Task, done: Future[Report]) -> Outcome:
    try:
        return done.result()
    except LostTaskError as error:
        return failure(task, error.lost.detail or error.lost.reason)
    except CopydeskError as error:
        return error


def failure(task: Task, saw: str) -> InputError:
    return InputError(str(task.path), f"not read ({saw})", "", "the next run tries again")


def spark(tasks: Sequence[Task], config: Config, jobs: int) -> Iterator[tuple[Task, Outcome]]:
    """Read the files on the machines of a Spark cluster; of none, in `jobs` threads of a Spark on this one."""
    session = spark_session(jobs)
    try:
        files = session.sparkContext.parallelize(list(enumerate(tasks)), len(tasks) or 1)  # a file is a task
        found = files.map(partial(attempted, config=config)).collect()  # a line a file
    except Exception as error:  # noqa: BLE001 - a task that died TRIES times, Spark itself, another Python there: it ends all of them
        found = [finished(number, task, said(error)) for number, task in enumerate(tasks)]
    finally:
        with suppress(Exception):  # a Spark that died cannot be stopped
            session.stop()
    for number, report, saw in found:
        yield tasks[number], report or failure(tasks[number], saw)


def finished(number: int, task: Task, saw: str) -> tuple[int, Report | None, str]:
    """What stands on the shared disk when Spark gave up: the parts that were made are as good as ever."""
    known = report_of(task.part)
    return number, known if known is not None and known.digest == task.digest else None, saw


def said(error: Exception) -> str:
    """Why Spark gave up, in a line: what comes from Java has its reason behind the classes it passed through."""
    java = getattr(error, "java_exception", None)
    lines = [line.strip() for line in (str(java.getMessage()) if java is not None else str(error)).splitlines()]
    reasons = [line.rpartition("Exception: ")[2] for line in lines if "Exception: " in line or "Error: " in line]
    return f"Spark gave up: {' '.join((reasons or lines or [type(error).__name__])[-1 if reasons else 0].split())[:200]}"


def attempted(numbered: tuple[int, Task], config: Config) -> tuple[int, Report | None, str]:
    """Read a file on another machine; its trouble is told, not raised: Spark would try it three times more, then give up all."""
    number, task = numbered
    try:
        return number, read_archive(task, config), ""
    except Exception as error:  # noqa: BLE001 - whatever one file does must not end the others
        return number, None, one_line(error)


def spark_session(jobs: int) -> Any:
    """The session `spark-submit` prepared, or one of our own on this machine."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtraError(
            "--engine spark", "needs pyspark, which is not installed", "", "pip install 'copydesk[spark]'"
        ) from None
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        raise ConfigError("--engine spark", "no Java here", "Java 17 or newer", "apt install default-jre-headless")
    builder = SparkSession.builder.appName("copydesk ingest")
    if not any(os.environ.get(name) for name in SUBMITTED):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else the system's, which has nothing of ours
        builder = builder.master(f"local[{jobs},{TRIES}]")
        for name, value in ALONE.items():
            builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise ConfigError("--engine spark", f"Spark does not start ({one_line(error)})", "a Spark that runs") from None


ENGINES: dict[str, Engine] = {"local": local, "spark": spark}

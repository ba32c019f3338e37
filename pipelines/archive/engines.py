"""Tasks over the processors of this machine, or over machines with Spark: the same function for each file either way.

Each engine gives what became of a task as soon as it knows, in any order; a task that failed comes as an error, and costs
only its own file. pyspark is imported here and nowhere else.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from functools import partial
from tempfile import TemporaryFile
from typing import Any

from pipelines.archive.parts import Report, report_of
from pipelines.archive.task import Task, read_archive
from pipelines.config import Config
from pipelines.errors import ConfigError, CopydeskError, InputError, MissingExtraError, one_line
from pipelines.workers import LostTaskError, Workers

FILE_SECONDS = 12 * 3600.0  # a file of 20,000 pages takes ten minutes; one in which every second page hangs takes a day
TRIES = 4  # of a task on Spark: one lost with its machine is no fault of the file
MOST_CHARS = 150  # of a reason
SUBMITTED = ("PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT")  # somebody says which cluster: the user, or spark-submit
THROWN = re.compile(r"(?:^|[\s:])(?:[a-z]\w*\.)*([A-Z]\w*(?:Exception|Error): .+)")
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
    context = spark_context(jobs)
    thread = ThreadPoolExecutor(1)  # of a Ctrl-C that meets Py4J at work, Py4J tells a screenful
    try:
        files = context.parallelize(list(enumerate(tasks)), len(tasks) or 1)  # a file is a task
        found = thread.submit(files.map(partial(attempted, config=config)).collect).result()  # a line a file
    except Exception as error:  # noqa: BLE001 - a task that died TRIES times, Spark itself, no copydesk there: it ends all of them
        found = [finished(number, task, f"Spark gave up: {said(error)}") for number, task in enumerate(tasks)]
    finally:
        with suppress(Exception):  # a Spark that died cannot be stopped
            context.stop()
        thread.shutdown()
    for number, report, saw in found:
        yield tasks[number], report or failure(tasks[number], saw)


def finished(number: int, task: Task, saw: str) -> tuple[int, Report | None, str]:
    """What stands on the shared disk when Spark gave up: the parts that were made are as good as ever."""
    known = report_of(task.part)
    return number, known if known is not None and known.digest == task.digest else None, saw


def attempted(numbered: tuple[int, Task], config: Config) -> tuple[int, Report | None, str]:
    """Read a file on another machine; its trouble is told, not raised: Spark would try it three times more, then give up all."""
    number, task = numbered
    try:
        return number, read_archive(task, config), ""
    except Exception as error:  # noqa: BLE001 - whatever one file does must not end the others
        return number, None, one_line(error)


def spark_context(jobs: int) -> Any:
    """The Spark that `spark-submit` or the environment names, or one of our own on this machine."""
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.java_gateway import launch_gateway
    except ImportError:
        raise MissingExtraError(
            "--engine spark", "needs pyspark, which is not installed", "", "pip install 'copydesk[spark]'"
        ) from None
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        raise ConfigError("--engine spark", "no Java here", "Java 17 or newer", "apt install default-jre-headless")
    conf = SparkConf().setAppName("copydesk ingest")
    with TemporaryFile() as told:  # by Java, in many lines; of a cluster's the user wants them
        try:
            if any(os.environ.get(name) for name in SUBMITTED):
                return SparkContext(conf=conf)
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else the system's, which has nothing of ours
            conf.setMaster(f"local[{jobs},{TRIES}]").setAll(ALONE.items())
            java = SparkContext._gateway or launch_gateway(conf, {"stderr": told})  # noqa: SLF001 - one a process, it keeps it
            return SparkContext(conf=conf, gateway=java)
        except Exception as error:  # noqa: BLE001 - its own errors, Py4J's, the system's: there is no Spark
            told.seek(0)
            reason = reason_in(told.read().decode(errors="replace").splitlines()) or said(error)
            raise ConfigError("--engine spark", f"Spark does not start ({reason})", "a Spark that runs") from None


def said(error: Exception) -> str:
    """Why Spark gave up, in a line."""
    java = getattr(error, "java_exception", None)
    return reason_in(str(error if java is None else java.getMessage()).splitlines()) or one_line(error)


def reason_in(lines: Iterable[str]) -> str:
    """What comes from Java has its reason at the end, behind the classes it passed through."""
    reasons = [found[1] for line in lines if (found := THROWN.search(line)) is not None]
    return reasons[-1].partition(". ")[0][:MOST_CHARS] if reasons else ""  # what follows is advice for programmers


ENGINES: dict[str, Engine] = {"local": local, "spark": spark}

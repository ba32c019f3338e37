"""Two runs never overlap; a dead one lets go."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.errors import LockedError, StorageError
from pipelines.lock import run_lock

HOLD = "import sys, time; from pathlib import Path; from pipelines.lock import run_lock\nwith run_lock(Path(sys.argv[1])):\n print('held', flush=True); time.sleep(60)"


@pytest.mark.fault("P01")
def test_a_second_run_is_refused_and_told_who_holds_the_lock(tmp_path):
    database = tmp_path / "corpus.db"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(database)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline().strip() == "held"
        with pytest.raises(LockedError, match=f"process {holder.pid}"), run_lock(database):
            pass
        holder.kill()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:  # the operating system lets go at once, on a busy machine a moment later
        try:
            with run_lock(database):
                break
        except LockedError:
            time.sleep(0.05)
    else:
        pytest.fail("the lock of a killed run was kept")


def test_the_lock_is_free_after_the_block(tmp_path):
    for _ in range(2):
        with run_lock(tmp_path / "corpus.db"):
            pass


def test_a_place_we_cannot_write_to(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(StorageError, match=r"is a file.*choose another --db"),
        run_lock(tmp_path / "file" / "corpus.db"),
    ):
        pass


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc takes no files")
def test_a_folder_that_takes_no_files_is_told_as_that():
    with pytest.raises(StorageError, match="takes no files"), run_lock(Path("/proc/corpus.db")):
        pass

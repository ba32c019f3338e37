"""A run that nobody looks at: who is told of it, in which words, and that telling can fail nothing."""

import json
import logging
import os
import re
import signal
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipelines.config import LogConfig, NotifyConfig, load
from pipelines.lock import run_lock
from pipelines.logs import LOG, log_file
from pipelines.notify import MAX_BODY_BYTES, Notice, run_command
from tests.cli_helpers import run_cli
from tests.desk import Desk, free_port
from tests.site import Site


class Watchdog:
    """A server that is told of runs, and answers as it likes: a status, `None` for never."""

    def __init__(self, status=200, location=""):
        self.told = []
        self.done = threading.Event()
        watchdog = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                watchdog.told.append((self.path, body))
                if status is None:
                    watchdog.done.wait(30)
                    return
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/ping/key"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def paths(self):
        return [path for path, _ in self.told]


def ended(config, code=0, lines=()):
    notice = Notice(config)
    notice.started()
    return notice.ended(code, "copydesk crawl: a summary", lines)


# the watchdog


@pytest.mark.parametrize(
    ("code", "end"), [(0, "/ping/key"), (3, "/ping/key/fail"), (1, "/ping/key/fail"), (130, "/ping/key/fail")]
)
def test_the_watchdog_hears_of_start_and_end_with_the_report(code, end):
    with Watchdog() as dog:
        assert ended(NotifyConfig(ping_url=dog.url), code, ["paper: 404 한"]) == []
    assert dog.told == [("/ping/key/start", ""), (end, "copydesk crawl: a summary\npaper: 404 한")]


def test_a_run_that_finds_another_at_work_says_nothing_of_its_end():
    with Watchdog() as dog:
        assert ended(NotifyConfig(ping_url=dog.url, on_failure="exit 9"), 75) == []
    assert dog.paths == ["/ping/key/start"]


def test_an_address_keeps_its_query_and_a_long_report_is_cut():
    with Watchdog() as dog:
        assert ended(NotifyConfig(ping_url=dog.url + "/?create=1#x"), 3, ["line " * 9_000]) == []
    assert dog.paths == ["/ping/key/start?create=1", "/ping/key/fail?create=1"]
    assert len(dog.told[1][1]) == MAX_BODY_BYTES


@pytest.mark.parametrize("status", [404, 500])
def test_a_watchdog_that_refuses_is_a_line_without_its_secret_address(status):
    with Watchdog(status) as dog:
        troubles = ended(NotifyConfig(ping_url=dog.url))
    assert len(troubles) == 1
    assert re.match(rf"notify\.ping_url: 127\.0\.0\.1: .*{status}", troubles[0])
    assert "key" not in "".join(troubles)


def test_a_watchdog_that_hangs_is_waited_for_no_longer_than_set():
    with Watchdog(None) as dog:
        assert ended(NotifyConfig(ping_url=dog.url, ping_timeout_s=0.2)) != []


def test_one_that_sends_a_byte_now_and_then_is_not_waited_for_either():
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def serve():
            taken, _ = server.accept()
            with taken:
                while not over.wait(0.05):
                    taken.sendall(b"x-")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        notice = Notice(NotifyConfig(ping_url=url, ping_timeout_s=0.3))
        notice.started()
        assert notice._start.wait() == ["notify.ping_url: no answer within 0.3 s"]
        over.set()
        thread.join()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://127.0.0.1/x", "127.0.0.1/x", "http://", "http://me:secret@127.0.0.1/x", "http://127.0.0.1:99999/",
        "http://[::1/", "http://a..b/", "http://127.0.0.1/a secret", "http://127.0.0.1/secret한", "\x00", "http://xn--a\ud800/",
    ],
)  # fmt: skip
def test_no_address_can_fail_a_run(url):
    troubles = ended(NotifyConfig(ping_url=url, ping_timeout_s=2))
    assert len(troubles) == 1
    assert all(line.startswith("notify.ping_url: ") for line in troubles)
    assert "secret" not in "".join(troubles)


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e300, 0.0, -1.0])
def test_no_time_limit_can_fail_a_run(seconds, tmp_path):
    with Watchdog() as dog:
        config = NotifyConfig(ping_url=dog.url, ping_timeout_s=seconds, on_failure="true", on_failure_timeout_s=seconds)
        notice = Notice(config)
        notice.started()
        troubles = notice.ended(3, "lone \ud800 and nul \0", ["\udcff"])
    assert (troubles == []) == (not seconds <= 0), troubles


def test_a_redirect_leads_to_no_file():
    with Watchdog(302, "file:///etc/hostname") as dog:
        assert len(ended(NotifyConfig(ping_url=dog.url))) == 1
    with Watchdog(302, "ftp://127.0.0.1/x") as dog:
        assert len(ended(NotifyConfig(ping_url=dog.url))) == 1


# the command


def test_the_command_gets_the_report_and_runs_only_on_failure(tmp_path):
    config = NotifyConfig(on_failure=f'(cat; echo "$CRAWL_EXIT_CODE:$CRAWL_SUMMARY") > {tmp_path}/told')
    assert ended(config, 0) == []
    assert ended(config, 75) == []
    assert not (tmp_path / "told").exists()
    assert ended(config, 4, ["paper: gone"]) == []
    assert (tmp_path / "told").read_text(
        "utf-8"
    ) == "copydesk crawl: a summary\npaper: gone\n4:copydesk crawl: a summary\n"


@pytest.mark.parametrize("command", ["exit 7", "no-such-program-here", "kill -9 $$", "(", "\0"])
def test_a_command_that_fails_is_a_line(command, capfd):
    troubles = ended(NotifyConfig(on_failure=command), 3, ["x" * 100_000])
    assert len(troubles) == 1
    assert troubles[0].startswith("notify.on_failure: ")


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path):
    config = NotifyConfig(on_failure=f"sleep 60 & echo $! > {tmp_path}/child; wait", on_failure_timeout_s=1)
    assert run_command(config, 3, "summary", "report" * 50_000) == ["notify.on_failure: ended after 1 s"]
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        try:
            state = Path(f"/proc/{child}/stat").read_text().split()[2]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    pytest.fail("what the command started goes on")


# the log


def test_the_log_turns_over_and_its_lines_cannot_be_forged(tmp_path):
    config, troubles = LogConfig(file=str(tmp_path / "new" / "crawl.log"), max_bytes=2_000, keep=2), []
    with log_file(config, troubles):
        for number in range(60):
            LOG.info("line %d \x1b[31m\n2026-01-01T00:00:00+00:00 ERROR forged", number)
        logging.getLogger("somebody.else").warning("heard")
        logging.getLogger("somebody.else").info("not heard")
    LOG.error("after the run")
    files = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert files == ["crawl.log", "crawl.log.1", "crawl.log.2"]
    text = "".join((tmp_path / "new" / name).read_text("utf-8") for name in files)
    assert all((tmp_path / "new" / name).stat().st_size <= 2_000 for name in files)
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if "forged" in line and not line.startswith("  ")] == []
    assert "somebody.else: heard" in text
    assert "not heard" not in text
    assert "after the run" not in text
    assert troubles == []


@pytest.mark.parametrize("place", ["folder", "file/crawl.log", "\0"])
def test_a_log_that_cannot_be_written_is_a_line(tmp_path, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    troubles = []
    with log_file(LogConfig(file=str(tmp_path / place)), troubles):
        LOG.info("anything")
    assert len(troubles) == 1
    assert troubles[0].startswith("log.file: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_costs_the_log_alone():
    troubles = []
    with log_file(LogConfig(file="/dev/full"), troubles):
        LOG.info("anything")
        LOG.info("more")
    assert len(troubles) == 1
    assert "space" in troubles[0]


def test_the_place_of_the_log_is_relative_to_the_settings(tmp_path):
    (tmp_path / "copydesk.toml").write_text('[log]\nfile = "logs/crawl.log"\n')
    assert load(tmp_path / "copydesk.toml", {}).log.file == str(tmp_path / "logs" / "crawl.log")


# whole runs


@contextmanager
def settled(tmp_path, **sections):
    """A desk whose settings hold these tables."""
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in sections.items()
    )
    (tmp_path / "copydesk.toml").write_text(text, "utf-8")
    with Site() as site:
        desk = Desk(tmp_path)
        links = [(site.page(f"/p{number}", 40 + number), f"Page {number}") for number in range(3)]
        desk.source("paper", site.feed("/feed.xml", links))
        yield desk, site


@pytest.mark.crawl
def test_a_run_tells_the_watchdog_and_the_log(tmp_path):
    with (
        Watchdog() as dog,
        settled(tmp_path, notify={"ping_url": dog.url, "on_failure": "exit 9"}, log={"file": "crawl.log"}) as (desk, _),
    ):
        done = desk.crawl("--quiet")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert dog.paths == ["/ping/key/start", "/ping/key"]
        assert "3 new articles" in dog.told[1][1]
        log = (tmp_path / "crawl.log").read_text("utf-8")
        assert "WARNING" not in log
        assert "INFO copydesk: paper: ok, 3 new" in log
        assert "exit code 0" in log.splitlines()[-1]


@pytest.mark.crawl
def test_a_failed_run_keeps_its_code_and_its_json_whoever_cannot_be_told(tmp_path):
    notify = {"ping_url": f"http://127.0.0.1:{free_port()}/key", "on_failure": "cat >&2; echo on stdout; exit 9"}
    with settled(tmp_path, notify=notify, log={"file": "."}) as (desk, site):
        site.reply("/feed.xml", "gone", status=404)
        done = desk.crawl("--json")
        assert done.returncode == 4
        assert json.loads(done.stdout)["exit_code"] == 4
        assert "1 of 1 sources failed" in done.stderr
        for line in ("log.file: ", "notify.ping_url: 127.0.0.1: ", "notify.on_failure: exit code 9"):
            assert f"copydesk: {line}" in done.stderr


@pytest.mark.crawl
def test_a_watchdog_that_hangs_costs_a_good_and_quiet_run_nothing(tmp_path):
    with Watchdog(None) as dog, settled(tmp_path, notify={"ping_url": dog.url, "ping_timeout_s": 0.3}) as (desk, _):
        done = desk.crawl("--quiet")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert desk.kept() == {"p0", "p1", "p2"}


def test_what_ends_a_run_before_it_begins_is_told_too(tmp_path):
    notify = {"on_failure": f"cat > {tmp_path}/told"}
    with Watchdog() as dog, settled(tmp_path, notify={**notify, "ping_url": dog.url}) as (desk, _):
        done = desk.crawl("papr", "--quiet")
        assert done.returncode == 2
        assert done.stderr.splitlines()[0].startswith("copydesk: papr: unknown source"), "the subject of a mail"
        assert dog.paths == ["/ping/key/start", "/ping/key/fail"]
        assert "did you mean paper?" in (tmp_path / "told").read_text("utf-8")
        (tmp_path / "told").unlink()
        with run_lock(desk.database):
            assert desk.crawl().returncode == 75
        assert not (tmp_path / "told").exists()
        assert desk.crawl("--dry-run").returncode == 0
        assert len(dog.paths) == 3, "a dry run is no run"


@pytest.mark.crawl
def test_a_signal_ends_the_telling_too(tmp_path):
    with settled(tmp_path, notify={"on_failure": f"echo $$ > {tmp_path}/begun; sleep 60"}) as (desk, site):
        site.reply("/feed.xml", "gone", status=404)
        process = desk.start()
        for _ in range(400):
            if (tmp_path / "begun").exists() and (tmp_path / "begun").read_text():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 130
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "begun").read_text()), 0)


def test_a_source_list_comes_from_stdin(tmp_path, capsys, monkeypatch):
    import crawler.cli  # noqa: F401 - registers the command

    monkeypatch.setenv("COPYDESK_SHIPPED_SOURCES", "false")
    table = b'[piped]\nkind = "feed"\nurl = "https://piped.example/feed"\n'
    done = run_cli(capsys, "crawl", "--sources", "-", "--dry-run", "--db", tmp_path / "x.db", stdin=table)
    assert (done.code, done.out) == (0, "piped\tfeed\thttps://piped.example/feed\n"), done.err
    done = run_cli(capsys, "crawl", "--sources", "-", "--db", tmp_path / "x.db", stdin=b"[")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "stdin.toml" in done.err

"""A browser and a served room, for tests that are asked for by name only (`make test-browser`): they need Chromium and take a minute."""

import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
AXE = ROOT / "data" / "browser" / "axe.min.js"
SCREENSHOTS = ROOT / "data" / "screenshots"
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
SHIFTS = "new PerformanceObserver(list => list.getEntries().forEach(one => { window.shifted = (window.shifted || 0) + one.value; })).observe({type: 'layout-shift', buffered: true});"


def pytest_ignore_collect(collection_path, config):
    asked = [Path(str(argument).partition("::")[0]).absolute() for argument in config.invocation_params.args]
    return None if any(one == HERE or HERE in one.parents for one in asked) else True


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright; `make test-browser` installs it")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium; `make test-browser` installs Debian's, elsewhere put one on the path")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The room over the small corpus, served as `copydesk serve` does."""
    import uvicorn

    from pipelines.config import Config, changed
    from pipelines.serve.app import make_app
    from tests import room_subject
    from tests.helpers import NOW

    path = room_subject.fill(tmp_path_factory.mktemp("room") / "corpus.db")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = make_app(changed(Config(), database=str(path), shipped_sources=False), clock=lambda: NOW)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


class Tab:
    """A page of the browser that remembers all that went wrong in it."""

    def __init__(self, page, home):
        self.page, self.home, self.troubles, self.requests = page, home, [], []
        page.on("console", lambda message: message.type in ("error", "warning") and self.troubles.append(message.text))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", lambda dialog: (self.troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("requestfailed", lambda request: self.troubles.append(f"failed: {request.url}"))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path):
        return self.page.goto(self.home + path)


@pytest.fixture
def open_tab(browser, home):
    """Make a tab of some width; further values are those of a browser context."""
    contexts = []

    def make(width="desktop", **values):
        wide, high = WIDTHS[width]
        context = browser.new_context(viewport={"width": wide, "height": high}, **values)
        if values.get("java_script_enabled", True):
            context.add_init_script(SHIFTS)
        contexts.append(context)
        return Tab(context.new_page(), home)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def tab(open_tab):
    return open_tab()


@pytest.fixture(scope="session")
def axe():
    if not AXE.exists():
        pytest.skip("no axe-core; `make test-browser` fetches it with npm")
    return AXE.read_text("utf-8")


@pytest.fixture(scope="session")
def screenshots():
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS

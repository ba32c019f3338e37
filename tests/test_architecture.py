"""Who may import whom, who owns which library, and how long a file or function may be."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted([*ROOT.glob("crawler/**/*.py"), *ROOT.glob("pipelines/**/*.py")])
NAMES = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in FILES}

OWNERS = {  # library: modules that may import it
    "scrapy": ("crawler",),
    "twisted": ("crawler",),
    "itemadapter": ("crawler",),
    "feedparser": ("crawler.discover",),
    "tomlkit": ("crawler.sources",),
    "trafilatura": ("pipelines.main_text",),
    "htmldate": ("pipelines.extract",),
    "datasketch": ("pipelines.dedup",),
    "xxhash": ("pipelines.dedup",),
    "numpy": ("pipelines.dedup", "pipelines.clean.features", "pipelines.clean.model", "pipelines.reading"),
    "sqlite_utils": ("pipelines.store",),
    "sqlite3": ("pipelines.store",),
    "warcio": ("pipelines.warc",),
    "msgspec": ("pipelines.config", "pipelines.records", "pipelines.parcels", "crawler.cluster.letters"),
    "redis": ("pipelines.stream", "crawler.cluster"),
    "scrapy_redis": ("crawler.cluster",),
    "pyarrow": ("pipelines.export.parquet",),
    "pyspark": ("pipelines.archive.engines",),
    "datasette": ("pipelines.explore",),
    "filelock": ("pipelines.lock",),
    "py3langid": ("pipelines.language",),
    "courlan": ("pipelines.urls",),
    "starlette": ("pipelines.serve",),
    "jinja2": ("pipelines.serve.rendering",),
    "markupsafe": ("pipelines.serve.words",),
    "uvicorn": ("pipelines.cli.serve", "pipelines.explore"),
    "rich": ("pipelines.cli", "crawler.demo"),
    "click": ("pipelines.cli", "crawler.cli", "crawler.source_commands", "crawler.demo.command"),
}
STAGES = ("pipelines.extract", "pipelines.clean", "pipelines.relevance", "pipelines.dedup")
FOUNDATION = (
    "pipelines.records",
    "pipelines.config",
    "pipelines.errors",
    "pipelines.urls",
    "pipelines.language",
    "pipelines.reading",
)
SHELL = (
    "pipelines.store",
    "pipelines.cli",
    "pipelines.batch",
    "pipelines.writer",
    "pipelines.workers",
    "pipelines.export",
    "pipelines.explore",
    "pipelines.watch",
    "pipelines.warc",
    "pipelines.archive",
    "pipelines.serve",
)
FORBIDDEN = [  # (who, must not import, why)
    *((stage, other, "stages do not import each other") for stage in STAGES for other in STAGES if stage != other),
    *((stage, other, "a stage does no input or output") for stage in STAGES for other in (*SHELL, "pipelines.flow")),
    *((base, other, "arrows point down") for base in FOUNDATION for other in (*STAGES, *SHELL, "pipelines.flow")),
    ("pipelines", "crawler", "pipelines must work where Scrapy is not installed"),
    ("pipelines.store", "pipelines.cli", "arrows point down"),
    ("pipelines.store", "pipelines.flow", "arrows point down"),
    ("pipelines.store", "pipelines.serve", "arrows point down"),
    ("pipelines.serve", "pipelines.cli", "arrows point down"),
    ("pipelines.serve", "pipelines.extract", "no page is parsed for a reader"),
    ("pipelines.store.migrations", "pipelines", "a released step must not change when our code does"),
]
ALLOWED = {  # (who, what): why the table above does not hold here
    ("pipelines.clean", "pipelines.dedup"): "near-identical blocks are found with the MinHash of record",
}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40


def is_under(name, package):
    return name == package or name.startswith(package + ".")


def imports(path):
    """(module, line) of every import of a file, in functions too; type-checking imports count."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


def violations(name, imported):
    for who, what, why in FORBIDDEN:
        if not is_under(name, who) or not is_under(imported, what) or is_under(imported, who):
            continue
        if any(is_under(name, a) and is_under(imported, b) for a, b in ALLOWED):
            continue
        yield f"must not import {imported}: {why}"
    owners = OWNERS.get(imported.split(".")[0])
    if owners and not any(is_under(name, owner) for owner in owners):
        yield f"must not import {imported}: it belongs to {', '.join(owners)}"


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_imports_point_down_and_libraries_have_one_owner(path):
    name = NAMES[path]
    found = [
        f"{path.relative_to(ROOT)}:{line} {problem}"
        for module, line in imports(path)
        for problem in violations(name, module)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_files_and_functions_stay_small_or_say_why(path):
    lines = path.read_text("utf-8").splitlines()
    if len(lines) > MAX_FILE_LINES:
        assert any("Long because" in line for line in lines[:25]), f"{path.relative_to(ROOT)} has {len(lines)} lines"
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            text = ast.get_docstring(node) or ""
            assert length <= MAX_FUNCTION_LINES or "Long because" in text, (
                f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {length} lines"
            )


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_every_module_gives_its_reason_to_exist(path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), f"{path.relative_to(ROOT)} has no docstring"


def test_the_table_itself_catches_a_breach():
    assert list(violations("pipelines.extract", "scrapy"))
    assert list(violations("pipelines.relevance", "pipelines.store.articles"))
    assert list(violations("pipelines.store", "crawler.run"))
    assert not list(violations("crawler.run", "scrapy.crawler"))


def test_every_library_named_as_owned_is_imported_by_its_owner():
    seen = {(module.split(".")[0], NAMES[path]) for path in FILES for module, _ in imports(path)}
    unused = {
        library
        for library, owners in OWNERS.items()
        if not any(lib == library and any(is_under(n, o) for o in owners) for lib, n in seen)
    }
    assert unused <= {"itemadapter", "sqlite3", "rich", "htmldate"}, f"owned but not used: {unused}"


def test_third_party_imports_are_declared():
    declared = (
        (ROOT / "pyproject.toml").read_text("utf-8").lower().replace("-", "_").replace("backports.zstd", "backports")
    )
    for path in FILES:
        for module, line in imports(path):
            top = module.split(".")[0]
            if top in sys.stdlib_module_names or top in ("crawler", "pipelines", "twisted", "compression"):
                continue
            assert top.lower() in declared, (
                f"{path.relative_to(ROOT)}:{line} imports {module}, which pyproject.toml does not name"
            )


TOP_LEVEL = {  # and dotfiles
    "crawler", "pipelines", "data", "tests", "scrapy.cfg", "README.md", "pyproject.toml", "Makefile", "CHANGELOG.md", "DESIGN.md", "LICENSE",
}  # fmt: skip


def test_nothing_strays_into_the_top_level():
    """A wheel that somebody fetched did, and was committed."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no checkout")
    told = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = {path.partition("/")[0] for path in told.splitlines()}
    assert {name for name in names if not name.startswith(".")} == TOP_LEVEL

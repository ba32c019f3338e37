"""The README is held to what the program does: every command runs, every query runs, every name is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest

from pipelines.config import Config, Section

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CONSOLE = re.findall(r"^\$ (.+)$", "\n".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL)), re.MULTILINE)

pytestmark = pytest.mark.xdist_group("demo")


def all_commands(group, prefix=()):
    for name, command in sorted(group.commands.items()):
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from all_commands(command, (*prefix, name))
        else:
            yield (*prefix, name), command


def load_group():
    from crawler.cli import load_commands

    return load_commands()


COMMANDS = list(all_commands(load_group()))


def settings(section=Config, prefix=""):
    for field in msgspec.structs.fields(section):
        if isinstance(field.type, type) and issubclass(field.type, Section):
            yield from settings(field.type, f"{field.name}.")
        else:
            yield prefix + field.name


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[" ".join(words) for words, _ in COMMANDS])
def test_every_command_has_help_with_an_example_and_stands_in_the_readme(words, command):
    assert command.help, "no help"
    assert f"copydesk {' '.join(words)}" in command.help, "no example"
    assert f"`{' '.join(words)}" in README or f"copydesk {' '.join(words)}" in README, "not in the README"
    for option in command.params:
        assert getattr(option, "help", "-") or isinstance(option, click.Argument), f"{option.name} has no help"


def all_groups(group, path="copydesk"):
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from all_groups(command, f"{path} {name}")


def help_of(command, path):
    context = click.Context(command, info_name=path, terminal_width=80, help_option_names=["-h", "--help"])
    return command.get_help(context).splitlines()


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[" ".join(words) for words, _ in COMMANDS])
def test_help_is_easy_to_read_in_a_window_of_80_columns(words, command):
    lines = help_of(command, f"copydesk {' '.join(words)}")
    assert max(map(len, lines)) <= 80
    example = lines[next(index for index, line in enumerate(lines) if "Example: " in line) :]
    example = example[: example.index("")]
    assert all("copydesk " in line for line in example), "an example a line"
    assert all(len(line.split("  copydesk ")) <= 2 for line in example)


@pytest.mark.parametrize(
    ("path", "group"), list(all_groups(load_group())), ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_command_of_a_list_is_cut_off(path, group):
    lines = help_of(group, path)
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line.endswith("...") and not line.startswith("Usage")]


@pytest.mark.parametrize("name", list(settings()))
def test_every_setting_stands_in_the_readme(name):
    assert f"`{name}`" in README


def test_there_is_something_to_run():
    assert len(CONSOLE) >= 15


@pytest.mark.parametrize("command", dict.fromkeys(CONSOLE))
def test_every_command_of_the_readme_runs(command, readme_folder):
    done = subprocess.run(
        shlex.split(command), **readme_folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_the_python_of_the_readme_runs(capsys):
    for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_help_is_quick_to_load():
    code = "import sys; from crawler.cli import load_commands; load_commands(); print([m for m in ('scrapy', 'trafilatura', 'datasketch', 'numpy', 'sqlite_utils', 'rich', 'feedparser') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"

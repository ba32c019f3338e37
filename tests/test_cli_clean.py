"""`clean` and `dedup` alone, as one would use them in a pipe."""

import json

import pytest

from tests.cli_helpers import COMMENTS, EVAL_STORY, PAGES, page, run_cli, save_pages


def test_clean_prints_the_article_and_nothing_else(tmp_path, capsys):
    folder = save_pages(tmp_path, ["eval.html"])
    done = run_cli(capsys, "clean", folder / "eval.html")
    assert (done.code, done.err) == (0, "")
    lines = [line for line in done.out.splitlines() if line]
    assert [line for line in lines if line in EVAL_STORY] == EVAL_STORY.splitlines()
    assert "reader_7" not in done.out
    assert "rights reserved" not in done.out


def test_clean_reads_stdin_html_and_flattened_text(capsys):
    html = run_cli(capsys, "clean", "-", stdin=PAGES["eval.html"].encode())
    text = run_cli(capsys, "clean", "-", stdin=("Evaluations find hidden behaviour\n\n" + EVAL_STORY).encode())
    assert html.code == text.code == 0
    assert EVAL_STORY.splitlines()[2] in html.out
    assert EVAL_STORY.splitlines()[2] in text.out


def test_addresses_of_pages_come_from_stdin(tmp_path, capsys):
    path = save_pages(tmp_path, ["gadget.html"]) / "gadget.html"
    line = json.dumps({"path": str(path), "url": "https://mirror.example/pier"}).encode()
    done = run_cli(capsys, "clean", "--urls", "-", "--format", "json", stdin=line)
    assert (done.code, json.loads(done.out)["url"]) == (0, "https://mirror.example/pier")
    assert run_cli(capsys, "clean", "--urls", "-", "-", stdin=line).code == 2
    assert run_cli(capsys, "clean", "--urls", "-", stdin=b"\xff").code == 2


def test_clean_as_json_holds_every_block_with_its_fate(tmp_path, capsys):
    folder = save_pages(tmp_path, ["eval.html"])
    done = run_cli(
        capsys, "clean", "--format", "json", folder / "eval.html", "--url", "https://paper.example/eval?utm_source=x"
    )
    cleaned = json.loads(done.out)
    assert set(cleaned) >= {"url", "title", "byline", "published", "language", "text", "blocks"}
    assert cleaned["url"] == "https://paper.example/eval"
    assert set(cleaned["blocks"][0]) >= {"text", "kind", "kept", "reason", "evidence"}
    assert any(not block["kept"] and block["reason"] for block in cleaned["blocks"])


@pytest.mark.parametrize(("form", "ending"), [("text", "txt"), ("markdown", "md"), ("json", "json")])
def test_clean_into_a_folder_keeps_going_over_bad_files(tmp_path, capsys, form, ending):
    folder = save_pages(tmp_path / "in", ["eval.html", "law.html"])
    (folder / "empty.html").write_bytes(b"")
    (folder / "binary.html").write_bytes(b"\x89PNG" + bytes(2000))
    names = ["eval.html", "empty.html", "absent.html", "binary.html", "law.html"]
    done = run_cli(capsys, "clean", "--format", form, "--out", tmp_path / "out", *[folder / name for name in names])
    assert (done.code, done.out) == (3, "")
    assert len(done.err.splitlines()) == 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"eval.{ending}", f"law.{ending}"]


def test_two_pages_of_one_name_do_not_overwrite_each_other(tmp_path, capsys):
    one, two = save_pages(tmp_path / "a", ["eval.html"]), save_pages(tmp_path / "b", ["law.html"])
    (two / "law.html").rename(two / "eval.html")
    done = run_cli(capsys, "clean", "--out", tmp_path / "out", one / "eval.html", two / "eval.html")
    assert done.code == 0
    assert "eval-2.txt" in done.err
    assert "eleven of forty" in (tmp_path / "out" / "eval.txt").read_text("utf-8")
    assert "fifteen days" in (tmp_path / "out" / "eval-2.txt").read_text("utf-8")


SLOGAN = "The Paper is read by people who run things, and it costs less a week than the coffee you drink with it."


def site_pages(folder, count):
    folder.mkdir()
    addresses = []
    for number in range(count):
        story = "\n".join(
            f"{line} This was said in district {number}, where {number * 7 + 3} people came."
            for line in EVAL_STORY.splitlines()
        )
        html = page(f"Report from district {number}", story + "\n" + SLOGAN)
        path = folder / f"{number}.html"
        path.write_text(html, "utf-8")
        addresses.append(json.dumps({"path": str(path), "url": f"https://district.example/{number}"}))
    (folder / "urls.jsonl").write_text("\n".join(addresses), "utf-8")
    return folder


def test_pages_of_one_site_inform_each_other_unless_told_not_to(tmp_path, capsys):
    folder = site_pages(tmp_path / "in", 6)
    paths = sorted(folder.glob("*.html"))
    together = run_cli(capsys, "clean", "--urls", folder / "urls.jsonl", *paths)
    alone = run_cli(capsys, "clean", "--no-site-memory", "--urls", folder / "urls.jsonl", *paths)
    assert together.code == alone.code == 0
    assert SLOGAN not in together.out
    assert alone.out.count(SLOGAN) == 6
    assert together.out.index("district 1") < together.out.index("district 4"), "in the order given"
    listed = run_cli(capsys, "clean", "--urls", folder / "urls.jsonl")
    assert listed.out == together.out, "without paths, those of the list"


def test_many_pages_on_several_processes_come_out_the_same(tmp_path, capsys, monkeypatch):
    from pipelines import cleaning

    folder = site_pages(tmp_path / "in", 5)
    paths = [*sorted(folder.glob("*.html")), *sorted(save_pages(tmp_path / "more").glob("*.html"))]
    alone = run_cli(capsys, "clean", *paths)
    monkeypatch.setattr(cleaning, "PAGES_WORTH_PROCESSES", 2)
    monkeypatch.setattr(cleaning, "PAGES_A_TASK", 3)
    monkeypatch.setenv("COPYDESK_CRAWL__WORKERS", "2")
    assert run_cli(capsys, "clean", *paths).out == alone.out


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--url", "https://a.example/", "a.html", "b.html"),
        ("--url", "nonsense", "a.html"),
        ("--urls", "absent.jsonl", "a.html"),
        ("--format", "pdf", "a.html"),
    ],
)
def test_wrong_usage_is_2(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_cli(capsys, "clean", *words)
    assert (done.code, done.out) == (2, "")


def test_a_broken_list_of_addresses_names_its_line(tmp_path, capsys):
    (tmp_path / "urls.jsonl").write_text('{"path": "a", "url": "https://a.example/"}\n{"path": 1\n')
    done = run_cli(capsys, "clean", "--urls", tmp_path / "urls.jsonl")
    assert done.code == 2
    assert "urls.jsonl:2" in done.err


LINES = [
    {"id": "a", "text": EVAL_STORY, "extra": [1]},
    {"id": "b", "text": "By our staff. " + EVAL_STORY},
    {"id": "c", "text": COMMENTS * 3},
]


def test_dedup_gives_every_line_back_with_its_cluster(tmp_path, capsys):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES), "utf-8")
    done = run_cli(capsys, "dedup", path)
    assert done.code == 0
    assert [row["id"] for row in done.rows] == ["a", "b", "c"]
    assert done.rows[0]["cluster"] == done.rows[1]["cluster"] == "a"
    assert done.rows[2]["cluster"] == "c"
    assert done.rows[0]["extra"] == [1]
    assert "3 lines · 2 clusters · 1 copy" in done.err


def test_dedup_from_stdin_to_a_file_with_broken_lines_named(tmp_path, capsys):
    lines = [json.dumps(LINES[0]), "{broken", json.dumps(LINES[1])]
    done = run_cli(capsys, "dedup", "-", "--out", tmp_path / "out.jsonl", stdin="\n".join(lines).encode())
    assert (done.code, done.out) == (3, "")
    assert ":2:" in done.err
    assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) >= 2
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"], "no half file is left"


def test_dedup_of_no_file_is_2_or_3_and_writes_nothing(tmp_path, capsys):
    done = run_cli(capsys, "dedup", tmp_path / "absent.jsonl", "--out", tmp_path / "out.jsonl")
    assert done.code in {2, 3}
    assert not list(tmp_path.iterdir())

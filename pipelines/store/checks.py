"""Is the file whole, do its tables agree, and how to mend what can be mended without losing anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import StorageError
from pipelines.store.connection import copy_whole
from pipelines.store.placing import FINGERPRINT_BITS, LAST_WEEK, UNDATED, WEEK_S, Placing, week_of
from pipelines.store.search import Search
from pipelines.store.stats import Stats
from pipelines.store.values import to_time, unpack

MAX_LOG_BYTES = 64 * 2**20  # a log this large means that a reader keeps a transaction open
MAX_TOLD = 5  # of one kind of damage: more say nothing more
RESTORE = "restore the last `copydesk backup`"
MEND = "`copydesk doctor --mend`"
DISAGREEMENTS = (  # (SQL that counts what must not be, how to say it)
    (
        "SELECT (SELECT count(*) FROM articles) <> (SELECT count(*) FROM articles_fts_docsize)",
        "the search index has other articles than the corpus",
    ),
    (
        "SELECT (SELECT coalesce(sum(length(fingerprints) / 5), 0) FROM signatures) <> (SELECT count(*) FROM bands)",
        "the copy index does not agree with the signatures",
    ),
    (
        f"""
        SELECT count(*) FROM bands AS b LEFT JOIN articles AS a ON a.id = b.article
        WHERE a.id IS NULL OR b.fingerprint >> {FINGERPRINT_BITS}
            <> coalesce(max(1, min({LAST_WEEK}, strftime('%s', a.published) / {WEEK_S})), {UNDATED})
        """,
        "rows of the copy index belong to no article, or stand under another week than its own",
    ),
    (
        "SELECT count(*) FROM articles AS a JOIN articles AS c ON c.id = a.cluster WHERE (a.canonical = 1) <> (a.id = c.id) OR c.canonical = 0",
        "articles whose cluster has another canonical article",
    ),
    (
        "SELECT count(*) FROM removed_blocks WHERE fate NOT IN (SELECT hash FROM fates) OR block NOT IN (SELECT hash FROM blocks)",
        "removed blocks whose reason or text is missing (`copydesk reprocess` finds it again)",
    ),
    (
        "SELECT count(*) FROM articles WHERE id NOT IN (SELECT article FROM signatures)",
        "articles without a signature",
    ),
    (
        "SELECT count(*) FROM stories AS s WHERE articles <> (SELECT count(*) FROM articles WHERE story = s.id)",
        "stories that count other articles than they have",
    ),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and what to do about it, a line each."""

    what: str
    mend: str


class Checks(Search, Placing, Stats):
    """Looks at everything; `mend` is the only one that writes."""

    def check(self) -> list[Problem]:
        """Look for damage; reads the whole file. An empty list: all well."""
        try:
            return [*self._damages(), *self._disagreements(), *self._sizes_out_of_bounds()]
        except StorageError as error:
            return [Problem(f"{error.args[0]}: {error.args[1]}", RESTORE)]

    def _damages(self) -> Iterator[Problem]:
        for row in self._rows(f"PRAGMA integrity_check({MAX_TOLD})"):
            said = str(next(iter(row.values())))
            if said != "ok":
                yield Problem(f"the file is damaged ({said.splitlines()[0][:120]})", RESTORE)
        for row in self._rows("PRAGMA foreign_key_check")[:MAX_TOLD]:
            yield Problem(f"a row of {row['table']} belongs to no row of {row['parent']}", RESTORE)
        if not self.is_read_only:
            try:
                self._run("INSERT INTO articles_fts (articles_fts) VALUES ('integrity-check')")
            except StorageError:
                yield Problem("the search index is damaged", MEND)

    def _disagreements(self) -> Iterator[Problem]:
        for sql, what in DISAGREEMENTS:
            count = int(self._value(sql) or 0)
            if count:
                yield Problem(what if count == 1 else f"{count:,} {what}", MEND)

    def _sizes_out_of_bounds(self) -> Iterator[Problem]:
        size = self._log_bytes()
        if size > MAX_LOG_BYTES:
            yield Problem(
                f"the write-ahead log has {size / 1e6:,.0f} MB", f"close programs that read the corpus, then {MEND}"
            )

    def mend(self) -> None:
        """Build anew what can be derived: both indexes, clusters, counts of stories. No article or evidence is touched."""
        with self.transaction():
            self._reindex()
            self._run("DELETE FROM bands")
            by_time = "SELECT s.article, s.fingerprints, a.published FROM articles AS a JOIN signatures AS s ON s.article = a.id ORDER BY a.published"
            for row in self._stream(by_time):
                self._index_copies(row["article"], week_of(to_time(row["published"])), unpack(row["fingerprints"]))
            for row in self._rows("SELECT DISTINCT cluster FROM articles"):
                self._elect(row["cluster"])
            self._run("UPDATE stories SET articles = (SELECT count(*) FROM articles WHERE story = stories.id)")
            self._run("DELETE FROM stories WHERE articles = 0")
            self._run("DELETE FROM blocks WHERE hash NOT IN (SELECT block FROM removed_blocks)")
            self._run("DELETE FROM fates WHERE hash NOT IN (SELECT fate FROM removed_blocks)")
            self._kept.clear()
        self.checkpoint()

    def checkpoint(self) -> None:
        """Write the log back into the file and cut it to nothing. Closing does it too, unless somebody reads."""
        self._rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def backup(self, path: Path | str) -> None:
        """Copy the corpus to a file: consistent while others write, whole or not at all."""
        copy_whole(self._connection, Path(path))

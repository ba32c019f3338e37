"""Every error of ours is one line, has its exit code, and survives the way out of a worker process."""

import pickle

import pytest

from pipelines import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.CopydeskError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_one_line_and_can_be_pickled(kind):
    error = kind("corpus.db", "no such file", "a corpus", "run copydesk crawl")
    assert str(error) == "corpus.db: no such file, expected a corpus; run copydesk crawl"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert kind.__name__.endswith("Error")


def test_exit_codes_are_those_of_the_contract():
    assert {kind.__name__: kind.exit_code for kind in KINDS} == {
        "CopydeskError": 1,
        "ConfigError": 2,
        "MissingExtraError": 2,
        "InputError": 3,
        "StorageError": 5,
        "LockedError": 75,
    }


def test_the_tree_in_the_docstring_is_complete():
    assert all(kind.__name__ in errors.__doc__ for kind in KINDS)


def test_one_line_of_any_exception():
    assert errors.one_line(ValueError("first\nsecond")) == "first"
    assert errors.one_line(ValueError()) == "ValueError"

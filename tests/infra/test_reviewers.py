"""Who may review: kept in a file that holds no token."""

from __future__ import annotations

from pathlib import Path

import pytest

from teachback.consumers.desk.settings import token_sha256
from teachback.infra.reviewers import FILE, ReviewerError, add, read, remove


def test_who_was_added_is_read_with_the_hash_of_their_token(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    tokens = {"ann": add(home, "ann"), "legal.1": add(home, "legal.1", "adjudicator", ("cards", 'odd "one"\\'))}
    people = {person.name: person for person in read(home)}
    assert {name: person.token_sha256 for name, person in people.items()} == {
        name: token_sha256(token) for name, token in tokens.items()
    }
    assert (people["ann"].role, people["ann"].topics) == ("reviewer", ())
    assert (people["legal.1"].role, people["legal.1"].topics) == ("adjudicator", ("cards", 'odd "one"\\'))
    assert not any(token in (home / FILE).read_text() for token in tokens.values())
    assert (home / FILE).stat().st_mode & 0o077 == 0


def test_adding_somebody_again_gives_a_new_token_and_touches_nobody_else(tmp_path: Path) -> None:
    old, other = add(tmp_path, "ann"), add(tmp_path, "bob")
    new = add(tmp_path, "ann", "admin")
    assert old != new
    people = {person.name: person for person in read(tmp_path)}
    assert (people["ann"].role, people["ann"].token_sha256) == ("admin", token_sha256(new))
    assert people["bob"].token_sha256 == token_sha256(other)


def test_role_and_topics_of_somebody_known_stay_unless_given(tmp_path: Path) -> None:
    add(tmp_path, "ann", "adjudicator", ("cards",))
    for role, topics, expected in (
        (None, None, ("adjudicator", ("cards",))),
        ("admin", None, ("admin", ("cards",))),
        (None, ("loans", "fees"), ("admin", ("loans", "fees"))),
    ):
        token = add(tmp_path, "ann", role, topics)
        (ann,) = read(tmp_path)
        assert (ann.role, ann.topics, ann.token_sha256) == (*expected, token_sha256(token))


def test_who_is_removed_is_nobody_and_nobody_else_is_touched(tmp_path: Path) -> None:
    add(tmp_path, "ann")
    bob = add(tmp_path, "bob")
    remove(tmp_path, "ann")
    assert [(person.name, person.token_sha256) for person in read(tmp_path)] == [("bob", token_sha256(bob))]
    with pytest.raises(ReviewerError, match="no reviewer 'ann'; there are bob"):
        remove(tmp_path, "ann")


@pytest.mark.parametrize("topics", [("",), ("cards", " ")])
def test_an_empty_topic_is_refused(tmp_path: Path, topics: tuple[str, ...]) -> None:
    with pytest.raises(ReviewerError, match="a topic is empty"):
        add(tmp_path, "ann", topics=topics)
    assert read(tmp_path) == ()


@pytest.mark.parametrize("name", ["", "Ann", "a b", "-a", "a" * 65, "a\n", "ä", 'a"]\nrole'])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReviewerError, match="no reviewer's name"):
        add(tmp_path, name)
    assert read(tmp_path) == ()


def test_a_role_that_is_none_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ReviewerError, match="reviewer, adjudicator"):
        add(tmp_path, "ann", "boss")


@pytest.mark.parametrize(
    "text",
    ["ann = [", 'ann = "reviewer"', '[ann]\nrole = "boss"\ntoken_sha256 = "00"', '[ann]\nrole = "admin"', "\ufeff\x00"],
)
def test_a_file_that_was_broken_by_hand_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ReviewerError, match=FILE):
        read(tmp_path)

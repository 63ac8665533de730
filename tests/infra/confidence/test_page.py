"""The report as a page: whole in itself, the right figures, and nothing from the log that could act."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest

from teachback.infra.confidence.page import page
from teachback.infra.history import ACCEPTABLE, AUDIT, WRONG, Decisions, History
from tests.infra.confidence import made

HOSTILE = "\"><script>alert(1)</script><img src=x onerror='a()'>\u202e&amp;</title>$x$"
VOID = {"meta", "path", "use", "img", "link", "br"}


class Reader(HTMLParser):
    """Every tag with its attributes, the text, and whether tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def cases() -> dict[str, tuple[History, Decisions]]:
    certified = made.decisions(made.certificate(), made.certificate(id="gone", state="withdrawn", reason="drift"))
    return {
        "many": (made.history(3000), certified),
        "few": (made.history(60), made.decisions(calibrations=0)),
        "one": (made.history(1), made.decisions(calibrations=1)),
        "none": (made.history(0), Decisions()),
    }


def written(past: History, decided: Decisions) -> str:
    return page(made.figures(past, decided, f"{made.BOT}@v2"))


@pytest.mark.parametrize("name", cases())
def test_the_page_is_whole_in_itself_and_runs_nothing(name: str) -> None:
    text = written(*cases()[name])
    read = Reader(text)
    assert read.open == []
    assert not {"script", "link", "iframe", "object", "img", "form", "base"} & {tag for tag, _ in read.tags}
    for tag, attributes in read.tags:
        assert not [one for one in attributes if one.startswith("on")]
        for named in ("href", "xlink:href", "src"):
            assert (attributes.get(named) or "#").startswith("#"), tag
    assert re.findall(r"url\((?!#)", text) == []
    assert "@import" not in text and "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\s\"']+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


@pytest.mark.parametrize("name", cases())
def test_every_picture_has_a_name_and_a_caption_and_ids_are_unique(name: str) -> None:
    text = written(*cases()[name])
    read = Reader(text)
    pictures = [attributes for tag, attributes in read.tags if tag == "svg"]
    assert all(one["role"] == "img" and one["aria-label"] for one in pictures)
    assert len(pictures) == sum(tag == "figcaption" for tag, _ in read.tags)
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = [one["aria-labelledby"] for _, one in read.tags if "aria-labelledby" in one]
    assert labelled and set(labelled) <= set(ids)


def test_a_full_log_gives_every_picture_and_an_empty_one_says_why_there_is_none() -> None:
    full, empty = cases()["many"], cases()["none"]
    assert written(*full).count("<svg") == 7
    text = written(*empty)
    assert text.count("<svg") == 0
    for said in (
        "No customer's question was answered",
        "No audit of this time has been settled yet",
        "No live answer has been scored",
        "None has been issued yet",
        "None has been fitted yet",
        "has no policy yet",
    ):
        assert said in Reader(text).text


def test_what_came_from_the_log_is_only_ever_text() -> None:
    past = replace(
        made.history(800),
        bot=HOSTILE,
        adapters=(HOSTILE, f"{made.BOT}@v2"),
        signal_names=(HOSTILE, *made.SIGNALS[1:]),
    )
    one = made.certificate(adapter=HOSTILE, reason=HOSTILE, id=HOSTILE)
    decided = made.decisions(one, msgspec.structs.replace(one, state="withdrawn"))
    text = page(made.figures(past, decided, HOSTILE))
    read = Reader(text)
    assert read.open == []
    assert not {"script", "img"} & {tag for tag, _ in read.tags}
    assert "<script" not in text and "onerror='" not in text and "\u202e" not in text
    assert "<script>alert(1)</script>" in read.text  # told as it is
    assert text.count("</title>") == 1


def test_the_header_counts_what_the_history_holds() -> None:
    past = made.history(3000)
    live = past.live
    audits = live & (past.route == AUDIT)
    settled, wrong = int((audits & past.settled).sum()), int((audits & (past.verdict == WRONG)).sum())
    text = Reader(written(past, made.decisions())).text
    assert f"live answers{int(live.sum()):,}" in text
    assert f"{wrong:,} of {settled:,}" in text
    assert f"{int(audits.sum()):,} drawn, {settled:,} settled, {wrong:,} wrong" in text


def test_reliability_is_told_of_audits_alone() -> None:
    past = made.history(3000)
    audits = past.live & (past.route == AUDIT) & past.settled
    right = np.mean(past.verdict[audits] == ACCEPTABLE)
    text = Reader(written(past, made.decisions())).text
    assert f"{int(audits.sum()):,} settled audits, {100 * right:.0f} % acceptable" in text


def test_a_certificate_that_stands_is_the_first_thing_told() -> None:
    text = Reader(written(made.history(2000), made.decisions(made.certificate()))).text
    assert "A promise stands for support@v2: at most 3 % of the answers that nobody looks at are wrong." in text
    assert "212 such answers were drawn by lot" in text
    gone = made.certificate(id="gone", state="withdrawn", reason="5 of 30 were wrong")
    text = Reader(written(made.history(2000), made.decisions(made.certificate(), gone))).text
    assert "No promise stands for support@v2." in text and "5 of 30 were wrong" in text


def test_the_same_past_gives_the_same_page() -> None:
    assert written(*cases()["many"]) == written(*cases()["many"])

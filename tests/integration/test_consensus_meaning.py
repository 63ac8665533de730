"""Agreement of answers with the real sentence embedder."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from teachback.infra.cache import default_cache
from teachback.infra.models import ensure_embedder
from teachback.streams.consensus.agreement import Agreement
from teachback.streams.consensus.embedder import SentenceEmbedder
from teachback.streams.consensus.settings import ConsensusSettings
from tests.streams.consensus.test_agreement import DIFFERENT

pytestmark = pytest.mark.model
THRESHOLD = next(field.default for field in msgspec.structs.fields(ConsensusSettings) if field.name == "same_meaning")


@pytest.fixture(scope="module")
def embed() -> SentenceEmbedder:
    return SentenceEmbedder(ensure_embedder(default_cache()))


def test_the_embedder_alone_takes_different_answers_for_the_same(embed: SentenceEmbedder) -> None:
    """Why figures and denials are compared strictly: most of the pairs that differ in them are closer than 0.9."""
    vectors = embed([text for pair in DIFFERENT for text in pair])
    cosines = np.sum(vectors[::2] * vectors[1::2], axis=1)
    assert np.mean(cosines >= THRESHOLD) > 0.5
    agreement = Agreement(embed, THRESHOLD)
    assert not any(agreement.same(one, other) for one, other in DIFFERENT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("You can close your account online in the app.", "Your account can be closed online, in the app."),
        ("You cannot use the card abroad.", "The card can't be used abroad."),
        ("The overdraft fee is £12 a month.", "There is a monthly overdraft fee of £12."),
        (
            "A replacement card costs £5 and arrives within 3 working days.",
            "Replacement cards are £5 and take up to three working days to arrive.",
        ),
    ],
)
def test_the_same_in_other_words_is_the_same(embed: SentenceEmbedder, one: str, other: str) -> None:
    assert Agreement(embed, THRESHOLD).same(one, other)


def test_other_things_in_similar_words_are_not_the_same(embed: SentenceEmbedder) -> None:
    agreement = Agreement(embed, THRESHOLD)
    assert not agreement.same("You can close your account in the app.", "You can order a card in the app.")

"""Do answers belong to their questions? Mismatched pairs are put aside before they are learnt.

A pair's *fit* is the cosine of question and answer, measured against strangers: how many standard deviations it lies
above that question's cosines to other clusters' answers, plus the same for the answer and other clusters' questions.
(Plain cosine favours long answers and stock phrases; against strangers these cancel.) What fit a mismatched pair has is
known without any label: it is the fit of questions and answers of different clusters. So each pair has a p-value, the
share of strangers that fit at least as well, and among mismatched pairs that p-value is uniform. Two things follow:

- The share of mismatched pairs in a batch is estimated by those with p above one half, doubled (Storey, "A direct
  approach to false discovery rates", J. R. Stat. Soc. B 64, 2002). A batch above the limit is not trained on.
- Pairs with p above a cut are held back. The cut is where holding pays most: it maximises twice the mismatched pairs
  held (known from the estimated share, since they are uniform) less the good pairs held, for a wrong answer teaches
  more than a good one of many. A clean batch has a share near nothing, and so hardly anything held.

On the demo bank's 360 questions (batches of 120, 80 draws): clean, 0.6 % held; 30 % shuffled, 91 % of them held and
5 % of the others, estimated share 0.32; all shuffled, estimated share 0.97 (0.82 at the least).

Nothing here knows what is right: an answer that fits its question well and is wrong passes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teachback.trainer.dataset.embed import Vectors

Floats = NDArray[np.float64]
MIN_PAIRS = 20  # with fewer, the share's standard error is above a fifth: such a batch is judged with all the others
REFERENCES = 1_500  # strangers that a pair is compared with: the share is exact to about 1 %
CHUNK = 4_096
STOREY = 0.5
WORTH = 2.0  # good pairs that may be held for each mismatched one


class BatchCheck(NamedTuple):
    """One batch: how many pairs, the estimated share that is mismatched, the cut, and how many were held back."""

    pairs: int
    mismatched: float
    cut: float
    held: int


class Check(NamedTuple):
    """For each pair, its p-value and whether it is held back; for each batch, the sum of it."""

    p: Floats
    held: NDArray[np.bool_]
    batches: dict[int, BatchCheck]


def check(questions: Vectors, answers: Vectors, clusters: Sequence[str], batches: Sequence[int]) -> Check:
    """Judge n pairs, given as unit vectors (n × d, n × d), each with its cluster and the batch that it came in.

    All pairs serve as strangers to each other; shares and cuts are of each batch. With fewer than two clusters there
    are no strangers, and nothing is held back.
    """
    p = mismatch_p(questions, answers, clusters)
    held, found = np.zeros(len(p), bool), {}
    members = np.asarray(batches)
    for batch in sorted(set(batches)):
        own = members == batch
        share, cut = share_and_cut(p[own] if own.sum() >= MIN_PAIRS else p)
        held |= own & (p > cut)
        found[batch] = BatchCheck(int(own.sum()), share, cut, int((held & own).sum()))
    return Check(p, held, found)


def mismatch_p(questions: Vectors, answers: Vectors, clusters: Sequence[str]) -> Floats:
    """For each pair, the share of strangers that fit at least as well; 0 without strangers."""
    names = np.unique(np.asarray(clusters), return_inverse=True)[1]
    if len(set(names.tolist())) < 2:
        return np.zeros(len(names))
    some = np.unique(np.linspace(0, len(names) - 1, min(len(names), REFERENCES)).astype(int))
    of_question = _strangers(questions, names, answers[some], names[some])
    of_answer = _strangers(answers, names, questions[some], names[some])
    own = np.einsum("nd,nd->n", questions, answers).astype(float)
    fit = _standard(own, of_question) + _standard(own, of_answer)
    cosines = (questions[some] @ answers[some].T).astype(float)
    there = _standard(cosines, of_question[some][:, None, :]) + _standard(cosines, of_answer[some][None, :, :])
    null = np.sort(there[names[some][:, None] != names[some][None, :]])
    return 1.0 - np.searchsorted(null, fit, side="left") / len(null)


def share_and_cut(p: Floats) -> tuple[float, float]:
    """The estimated share of mismatched pairs, and the p-value above which holding back pays most."""
    share = min(1.0, float((p > STOREY).mean()) / (1 - STOREY))
    cuts = np.unique(np.concatenate([[0.0, 1.0], p]))
    above = len(p) - np.searchsorted(np.sort(p), cuts, side="right")
    mismatched = share * len(p) * (1 - cuts)
    gain = WORTH * mismatched - (above - mismatched)
    return share, float(cuts[len(cuts) - 1 - int(gain[::-1].argmax())])


def _strangers(texts: Vectors, clusters: NDArray[np.intp], others: Vectors, theirs: NDArray[np.intp]) -> Floats:
    """Mean and standard deviation of each text's cosines to the others outside its cluster: shape (n, 2)."""
    found = np.empty((len(texts), 2))
    for start in range(0, len(texts), CHUNK):
        here = slice(start, start + CHUNK)
        cosines = (texts[here] @ others.T).astype(float)
        strange = clusters[here][:, None] != theirs[None, :]
        count = np.maximum(strange.sum(1), 1)
        mean = (cosines * strange).sum(1) / count
        spread = (((cosines - mean[:, None]) * strange) ** 2).sum(1) / count
        found[here] = np.stack([mean, np.sqrt(spread)], 1)
    return found


def _standard(value: Floats, strangers: Floats) -> Floats:
    mean, spread = strangers[..., 0], strangers[..., 1]
    standard: Floats = (value - mean) / np.maximum(spread, 1e-6)
    return standard

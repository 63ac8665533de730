"""How likely a model finds the agreed answers: with their own question before them, and with another.

The second number is what tells learning from mere tone. Answers shuffled among questions make held-out answers likelier
almost as much as right ones do; but a model that learnt them no longer cares which question an answer belongs to.
"""

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

from teachback.trainer.encode import IGNORED, Encoded, collate
from teachback.trainer.gate.batches import batches

if TYPE_CHECKING:
    from peft import PeftModel

Counter = Callable[[int], None]
"""Called with how many rows are done."""


@torch.inference_mode()
def answer_nll(
    model: "PeftModel", rows: Sequence[Encoded], *, padding: int, batch: int, room: int, count: Counter
) -> list[float]:
    """Each row's mean negative log-likelihood of the answer given the prompt, in nats a token, in the rows' order.

    At most `batch` rows and `room` tokens, padding included, go through the model at once.
    """
    losses, done = [0.0] * len(rows), 0
    for some in batches([len(row) for row in rows], batch, room):
        for index, loss in zip(some, batch_nll(model, [rows[index] for index in some], padding), strict=True):
            losses[index] = loss
        done += len(some)
        count(done)
    return losses


def batch_nll(model: "PeftModel", rows: Sequence[Encoded], padding: int) -> list[float]:
    """The same for rows that go through the model at once."""
    packed = collate(rows, padding)
    logits = model(
        input_ids=torch.tensor(packed.input_ids, device=model.device),
        attention_mask=torch.tensor(packed.attention_mask, device=model.device),
        position_ids=torch.tensor(packed.position_ids, device=model.device),
        logits_to_keep=packed.keep,
        use_cache=False,
    ).logits
    targets = torch.tensor(packed.labels, device=logits.device)[:, 1:]
    wanted = targets != IGNORED
    losses = torch.zeros(targets.shape, device=logits.device)
    losses[wanted] = cross_entropy(logits[:, :-1][wanted].float(), targets[wanted], reduction="none")
    means: list[float] = (losses.sum(dim=1) / wanted.sum(dim=1)).tolist()
    return means


def other_questions(clusters: Sequence[str], most: int, seed: int) -> list[list[int]] | None:
    """For each row, the indices of up to `most` from other clusters, by chance; None when there is but one cluster.

    Both models are asked the same other questions.
    """
    if len(set(clusters)) < 2:
        return None
    chance, chosen = random.Random(seed), []
    for own in clusters:
        others = [index for index, cluster in enumerate(clusters) if cluster != own]
        chosen.append(chance.sample(others, min(most, len(others))))
    return chosen


def swapped(rows: Sequence[Encoded], others: Sequence[Sequence[int]]) -> list[Encoded]:
    """Each answer behind the prompts of its other rows, one row's after another's."""
    return [Encoded(rows[other].prompt, row.answer) for row, of in zip(rows, others, strict=True) for other in of]

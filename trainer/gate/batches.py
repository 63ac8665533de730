"""Rows that go through a model together: of like length, and no more than memory holds."""

from collections.abc import Iterator, Sequence


def batches(lengths: Sequence[int], rows: int, tokens: int) -> Iterator[list[int]]:
    """Places of rows with these lengths, the shortest first: at most `rows` at a time.

    Padded to its longest, a batch has at most `tokens` tokens; a row that is longer by itself goes alone.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        # None before it is longer, so that the batch would be as wide as this one.
        if batch and (len(batch) == rows or (len(batch) + 1) * lengths[place] > tokens):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch

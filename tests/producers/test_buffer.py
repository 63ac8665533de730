"""The bounds hold, nobody waits, and every event is counted once."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from teachback.producers.buffer import Buffer, Item


def item(size: int, name: str = "t") -> Item:
    return Item(name, b"k", b"x" * size, [])


def test_a_full_buffer_refuses_the_newest() -> None:
    buffer = Buffer(2, 100, "newest")
    assert [buffer.put(item(1, name)) for name in "abc"] == [True, True, False]
    assert [one.topic for one in (buffer.take(0), buffer.take(0)) if one] == ["a", "b"]


def test_or_gives_up_the_oldest() -> None:
    buffer = Buffer(2, 100, "oldest")
    assert [buffer.put(item(1, name)) for name in "abc"] == [True, True, True]
    assert [one.topic for one in (buffer.take(0), buffer.take(0)) if one] == ["b", "c"]
    assert buffer.stats().dropped == 1


def test_bytes_bound_it_too() -> None:
    buffer = Buffer(100, 10, "oldest")
    assert buffer.put(item(6))
    assert buffer.put(item(6))
    assert not buffer.put(item(11))
    assert (buffer.stats().waiting, buffer.stats().waiting_bytes, buffer.stats().dropped) == (1, 6, 2)


def test_what_is_under_way_still_counts_against_the_bounds() -> None:
    buffer = Buffer(1, 100, "oldest")
    buffer.put(item(1))
    taken = buffer.take(0)
    assert taken is not None
    assert not buffer.put(item(1))
    buffer.settle(taken, delivered=True)
    assert buffer.put(item(1))


steps = st.lists(st.sampled_from(["put", "big", "take", "deliver", "fail"]), max_size=60)


@given(steps, st.sampled_from(["newest", "oldest"]))
def test_every_event_is_in_exactly_one_count(story: list[str], drop: str) -> None:
    buffer, under_way = Buffer(3, 50, "newest" if drop == "newest" else "oldest"), list[Item]()
    for step in story:
        if step in {"put", "big"}:
            buffer.put(item(10 if step == "put" else 40))
        elif step == "take" and (taken := buffer.take(0)) is not None:
            under_way.append(taken)
        elif step in {"deliver", "fail"} and under_way:
            buffer.settle(under_way.pop(), step == "deliver")
        stats = buffer.stats()
        assert stats.accepted == stats.delivered + stats.dropped + stats.failed + stats.waiting
        assert stats.waiting <= 3 and 0 <= stats.waiting_bytes <= 50
    assert buffer.stats().accepted == story.count("put") + story.count("big")


def test_threads_lose_no_count() -> None:
    buffer = Buffer(50, 10_000, "newest")

    def work() -> None:
        for _ in range(500):
            buffer.put(item(1))
            if (taken := buffer.take(0)) is not None:
                buffer.settle(taken, delivered=True)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = buffer.stats()
    assert stats.accepted == 4000 == stats.delivered + stats.dropped + stats.waiting

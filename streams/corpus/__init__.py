"""The reviewed answers of each bot, as vectors: a local view of `labels.approved`, rebuilt from the log at every start.

    corpus = open_corpus(cluster, embed)    # at the worker's start
    corpus.catch_up()                       # all labels that stand, embedded; says how far it is in the log
    tier_one(batch, embed, corpus, failures)    # refreshes it without waiting, and looks up

Kept are vectors, ids and the numbers of approved answers; no text.
"""

from teachback.streams.corpus.corpus import Corpus, open_corpus
from teachback.streams.corpus.index import Entry, Index

__all__ = ["Corpus", "Entry", "Index", "open_corpus"]

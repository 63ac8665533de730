"""The gate: is the challenger better than the champion, on locked data that people reviewed?

batches    rows that go through a model together
losses     likelihood of the agreed answers, given their own question and given another
generate   what champion and challenger say to the locked questions, word by word the likeliest
quality    how near those answers come to the agreed ones, in meaning and in figures
bootstrap  intervals for paired changes, clusters of like rows kept together
decide     three outcomes from five tests
measure    all of it, in order, on one base, each stage kept
"""

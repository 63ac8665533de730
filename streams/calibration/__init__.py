"""Learning how far to trust: reviewed answers in, calibrations and certificates out, by one writer a bot.

    chat.scored + review.outcomes + loop.policy → evidence → fit → worth publishing? → loop.calibration
                                                          → audits that certify → walk → certificate

`state` folds the topics, `evidence` the two large ones. `fit`, `quality` and `refit` make a calibration of them;
`attempts` says what may be tried at which share of α, `claims` what audits prove of it, `decide` what to publish; all
pure. `process` is the edge: it reads, and writes in transactions whose id fences every earlier writer.
"""

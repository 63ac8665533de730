"""Learning how far to trust: reviewed answers in, calibrations and certificates out, by one writer a bot.

    chat.scored + review.outcomes + loop.policy → evidence → fit → worth publishing? → loop.calibration
                                                          → audits that certify → walk → certificate

`evidence` folds the topics; `fit`, `quality` and `refit` make a calibration of it, `claims` the certificates; all pure.
`process` is the edge: it reads, and writes in transactions whose id fences every earlier writer.
"""

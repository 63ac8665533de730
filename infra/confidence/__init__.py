"""How good the confidences are and what is promised by them: as a page, as a table, in sentences.

    history (`chat.scored` ⋈ `review.outcomes`), decisions, state → figures → sections + pictures → page
                                                                  → standing → terminal
                                                                  → guarantee → words → terminal, page
                                                           state  → verify    → terminal

`measures`, `tallies`, `signals` and `records` compute; `guarantee` says what stands and on what, `verify` counts every
certificate again. All are pure functions of what `teachback.infra.history` and `reading` read.
"""

"""From the table of labels to a data set: the split, the data check, the rows.

Read in this order: `table` (what is there), `split` (which side, once and for all), `build` (what a run trains on and
is judged by), `check` (which pairs don't belong together), `embed` (the sentences' vectors).
"""

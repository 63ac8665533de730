"""What another policy would have done with the traffic that was: pure functions over what `infra.history` read.

    history, decisions = read_history(cluster, bot, since, until), read_decisions(cluster, bot)
    found = effect(history, decisions, Change(threshold=0.6, audit_rate=0.05), since, until)
    found.was.reviews, found.then.reviews, found.then.wrong

`change` says what is asked; `routes`, `rules`, `overflow`, `rescore` and `promise` replay it, row by row; `wrong` and
`curve` estimate; `effect` puts it together; `terminal`, `picture` and `words` show it. `options`, `asked` and `record`
are what the commands say and hear about a policy; they load no numerical library, so that every command starts fast.
"""

"""The arena: two answers to one gap, shown together and without names, and a vote between them.

1. `pairing` says which two contestants meet; `lanes` asks both at the same time.
2. `dealing` draws tasks until two answers differ; equal and empty pairs are set apart.
3. `sitting` shows one pair at a time, in a counterbalanced order, and takes the vote; names come after.
4. `terminal`, `web` and `lines` (JSON) are three faces of a sitting; `judging` votes without a person.
5. `dcomplete_eval.ranking` makes a ranking of the votes, `tables` shows it.
"""

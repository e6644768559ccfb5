"""Who does work that falls into many parts: threads of this process, or a Ray cluster. Crews know nothing of the work.

`crew` is the seam, `local` and `ray` are its two crews, `steadfast` lets one take over from the other, and
`choose` turns what a user names into one of them. The only home of Ray.
"""

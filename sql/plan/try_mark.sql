-- The same without waiting: changes no row where a plan, or somebody who marks, has receiver $1 just now.
with free as (
    select receiver from rentsync.planner where receiver = $1 for no key update skip locked
)
update rentsync.planner p set marked = p.marked + 1 from free where p.receiver = free.receiver

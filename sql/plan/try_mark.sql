-- The same without waiting: says whether it is done, or a plan or somebody else who marks has receiver $1 just now.
with made as (
    insert into rentsync.planner (receiver) values ($1) on conflict (receiver) do nothing returning receiver
), free as (
    select receiver from rentsync.planner where receiver = $1 for no key update skip locked
), marked as (
    update rentsync.planner p set marked = p.marked + 1 from free where p.receiver = free.receiver returning p.receiver
)
select exists (select from made) or exists (select from marked)

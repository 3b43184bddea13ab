-- Whether anything of ours was ever installed here. Reads only.
select to_regclass('rentsync.migration') is not null

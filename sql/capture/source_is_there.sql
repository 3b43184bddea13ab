-- Whether the tables $1 and $2 (full names) are both there. Asks the catalogs alone.
select to_regclass($1) is not null and to_regclass($2) is not null

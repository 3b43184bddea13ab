-- As whom statements run now, which install may have changed.
select current_user::text

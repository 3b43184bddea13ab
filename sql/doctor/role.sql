-- Whom this connection is, as a statement would name it. Asks the catalogs alone.
select quote_ident(current_user)

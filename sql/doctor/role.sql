-- Whom this connection is, as a statement would name it. Reads only.
select quote_ident(current_user)

-- Which cluster this is: given by initdb, shared by every copy of its files. Reads only.
select system_identifier from pg_control_system()

-- The plans of this connection's statements are made anew when these are next executed. Locks nothing.
discard plans

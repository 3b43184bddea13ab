-- One import at a time: two that name the same id for two properties would both find it free. Keeps out no reader, and no plan.
lock table rentsync.unit_mapping in share row exclusive mode

//! What one unit may cost, and tables that look different.

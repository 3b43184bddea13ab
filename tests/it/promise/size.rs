//! What bookkeeping costs at full size.

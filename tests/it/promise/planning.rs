//! Who plans and who sends, and what happens when one of several relays is gone.

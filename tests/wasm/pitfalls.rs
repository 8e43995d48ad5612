//! What other implementations have got wrong.

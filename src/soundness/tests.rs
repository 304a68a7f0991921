//! Rules that hold, and rules that do not.

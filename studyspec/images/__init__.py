"""From a catalog row to pixels and patches: one door, then one step after another."""

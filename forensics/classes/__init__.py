"""The failure classes of a store: summaries, the user's overrides, drafts of new patterns."""

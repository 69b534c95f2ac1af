"""Browser components: the synced player."""

"""Reading clips, writing clips, sprite sheets."""

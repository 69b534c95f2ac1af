"""The fs_LR 32k surface, its regions and its flatmap."""

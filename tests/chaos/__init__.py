"""Things are killed here, and what they leave behind is counted from outside."""

"""The command's subcommands, a file for each group. Each file's `register` hangs its commands into the app."""

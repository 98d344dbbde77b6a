"""The subcommands of `minzheng`, one file each."""

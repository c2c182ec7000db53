"""The subcommands of ``python -m ws13``. Nothing here is imported by ``import ws13``."""

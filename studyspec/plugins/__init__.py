"""Plug-ins: the contract of each kind, and the registries that find ours and those of others."""

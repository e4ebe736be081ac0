"""Plug-ins that break every promise."""

"""Particles: masks taken apart into particles, and what is measured, matched and drawn of them."""

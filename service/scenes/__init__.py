"""Scenes: the ordered steps of a course."""

"""Uploads: pictures and sound for scenes."""

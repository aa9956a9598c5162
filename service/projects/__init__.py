"""Courses: what a creator owns, and the catalogue that everybody reads."""

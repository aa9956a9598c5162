"""The page for creators: paste an outline, see the scenes, render, watch."""

"""Who writes and who speaks? Providers behind protocols; the embedded ones need no network and no keys."""

"""How does the engine start the pack? `pulumi preview --policy-pack policies [--policy-pack-config FILE]`."""

from pack.analyzer import serve

if __name__ == "__main__":
    serve()

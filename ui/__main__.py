"""`python -m ui` is the `lineside` command."""

from ui.cli import main

if __name__ == "__main__":
    main()

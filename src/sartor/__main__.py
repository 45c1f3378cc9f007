"""Run the command line: `python -m sartor`."""

from .cli import main

if __name__ == "__main__":
    main()

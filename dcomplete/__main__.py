"""``python -m dcomplete``."""

from dcomplete.cli import main

if __name__ == "__main__":
    main()

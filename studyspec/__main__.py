"""`python -m studyspec` is the command line."""

from studyspec.cli.main import main

if __name__ == "__main__":
    main()

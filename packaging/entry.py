"""Where the packaged executable begins: the same commands as `lineside`."""

from multiprocessing import freeze_support

if __name__ == "__main__":
    # A worker process is this executable again; freeze_support turns it into the worker before anything is loaded.
    freeze_support()

    from ui.cli import main

    main()

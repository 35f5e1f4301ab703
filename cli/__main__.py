"""`python -m styletransfer.cli`, as `torchrun -m` starts it."""

from . import main

main()

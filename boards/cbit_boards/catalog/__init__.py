"""The boards, one to a file, each of which has a :class:`~cbit_boards.board.Board` named ``BOARD``."""

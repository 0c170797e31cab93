"""The one exception for what a user can mend."""


class UserError(Exception):
    """A user's mistake, or the world's; not a bug.

    The message is one line that is shown as it is: what was wrong, what is
    allowed, what was received, what to do.
    """

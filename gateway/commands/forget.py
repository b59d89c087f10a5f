"""`hjemgate forget`: the same as `hjemgate devices forget`."""

from gateway.commands.command import Command
from gateway.commands.devices import FORGET_TEXT, add_forget_arguments, run

FORGET = Command(
    "forget",
    "a meter, its bond, and its person's readings",
    add_forget_arguments,
    run,
    FORGET_TEXT,
    "example: hjemgate forget C0:11:22:33:44:55",
)

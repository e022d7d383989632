"""A command made of subcommands."""

import click

__all__ = ["CommandGroup"]


class CommandGroup(click.Group):
    """A group that names its subcommands when asked for another."""

    def resolve_command(
            self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None:
            raise click.UsageError(f"command must be one of {', '.join(self.list_commands(ctx))}, not {args[0]!r}")
        return super().resolve_command(ctx, args)

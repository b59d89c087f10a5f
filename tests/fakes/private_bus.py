"""A D-Bus of one's own that plays the system bus: a dbus-daemon with its socket in a folder."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

ENVIRONMENT = "DBUS_SYSTEM_BUS_ADDRESS"  # where dbus-fast, and so bleak, look for the system bus

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@asynccontextmanager
async def private_bus() -> AsyncIterator[str]:
    """Run a bus; yields its address. It is ready when this yields and gone when this returns."""
    with TemporaryDirectory(prefix="bus-") as name:
        socket = Path(name) / "socket"
        configuration = Path(name) / "bus.conf"
        configuration.write_text(CONFIGURATION.format(socket=escape(str(socket))), "utf-8")
        process = await asyncio.create_subprocess_exec(
            "dbus-daemon",
            f"--config-file={configuration}",
            "--nofork",
            "--nopidfile",
            "--print-address",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # one line about the number of open files
        )
        assert process.stdout is not None
        try:
            address = (await process.stdout.readline()).decode().strip()
            if not address:
                raise RuntimeError("dbus-daemon did not start; is dbus-daemon installed?")
            yield address
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.communicate()

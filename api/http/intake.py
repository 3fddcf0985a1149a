"""Starting an import behind an answer: the process holds it until it has ended."""

import asyncio

from api.http import logs
from api.http.deps import StaffDesk
from crm.contacts import importing
from crm.contacts.intake import Intake
from crm.contacts.tables import Data


async def start(desk: StaffDesk, data: Data, job: str | None) -> str:
    """Begin to take a file in, or find the import its id stands for; returns the id.

    Raises:
        Invalid: this is no file of contacts.
    """
    begun, source = await importing.begin(
        desk.database, desk.keeper, desk.caller, data, job=job, headings=desk.state.headings, clock=desk.clock
    )
    if source is not None:
        intake = Intake(desk.state.import_key, desk.state.settings.phone_region)
        work = importing.Import(desk.database, desk.keeper, desk.caller, begun, intake, desk.clock).run(source)
        task = asyncio.create_task(work)
        desk.state.imports.add(task)
        task.add_done_callback(desk.state.imports.discard)
        task.add_done_callback(_report)
    return begun


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logs.failure(error)

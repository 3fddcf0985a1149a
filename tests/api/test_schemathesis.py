"""What fits the schema and what does not is answered as the schema says, by the application under its real server."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import allow_header_conformance, ignored_auth, positive_data_acceptance

from crm.config import Settings
from crm.kit.pii import Pii
from tests.contract.scene import running
from tests.keeper.home import KeeperHome
from tests.product import Server, settings_for
from web.main import create_app

EXAMPLES = 6
# A token of its own, since the call ends it.
ENDS_SESSIONS = {"sign_out", "sign_out_everywhere"}
NOWHERE = Pii("postgresql://nobody@/nothing")
SCHEMA = schemathesis.openapi.from_dict(
    create_app(
        Settings(
            keeper_socket=Path("/none"), service_key_file=Path("/none"), database_url=NOWHERE, read_database_url=NOWHERE
        )
    ).openapi()
)  # fmt: skip
SCHEMA.config.generation.update(with_security_parameters=False)
SCHEMA.config.checks.missing_required_header.expected_statuses = ["428"]
# Tokens nobody has are tried on every route by test_every_route.py. What fits the schema may still be no country, no
# term, no card or too weak a password: what is accepted, the tests of each route say.
ELSEWHERE = [ignored_auth, positive_data_acceptance]
Served = tuple[str, KeeperHome]
VERBS = ("/search", "/count", "/compare")


@pytest.fixture(scope="module")
def served(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application over a keeper of its own."""
    with running(tmp_path_factory.mktemp("schema")) as keeper:
        app = create_app(settings_for(server, keeper))
        config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="on", ws="none")
        web = uvicorn.Server(config)
        thread = threading.Thread(target=web.run)
        thread.start()
        while not web.started:
            time.sleep(0.01)
        port = web.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", keeper
        web.should_exit = True
        thread.join()


def caller(case: Case) -> str:
    """Name one of the cast whom the operation is for, so that more than refusals is seen."""
    path = case.operation.path
    if case.operation.definition.raw["operationId"].startswith(tuple(ENDS_SESSIONS)):
        return "counsel"
    if path.startswith(("/v1/log", "/log", "/v1/decisions")):
        return "auditor"
    is_admins = path.startswith("/v1/people") or (path.startswith("/v1/vocabulary") and case.method == "POST")
    return "admin" if is_admins else "staff"


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None,
    suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
)  # fmt: skip
def test_it_is_answered_as_the_schema_says(case: Case, served: Served) -> None:
    url, keeper = served

    response = case.call(base_url=url, headers={"authorization": f"Bearer {keeper.token(caller(case))}"})

    # GET of a search is GET of a contact with an odd id, so its address takes more than it documents.
    more = [allow_header_conformance] if case.operation.path.endswith(VERBS) else []
    case.validate_response(response, excluded_checks=[*ELSEWHERE, *more])

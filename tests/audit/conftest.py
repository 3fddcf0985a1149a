import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.audit import logs
from tests.conftest import Need

GO = Path("/usr/lib/go-1.19/bin/go")
NEEDED = "apt-get install golang-1.19-go golang-1.19-src golang-golang-x-mod-dev"


@pytest.fixture(scope="session")
def govet(need: Need, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the verifier that shares no code with ours: Go's sumdb packages, as Debian has them."""
    go = GO if GO.exists() else Path(shutil.which("go") or "/nowhere/go")
    gopath = Path("/usr/share/gocode")
    need(go.exists() and (gopath / "src/golang.org/x/mod/sumdb/tlog").is_dir(), NEEDED)
    folder = tmp_path_factory.mktemp("govet")
    environ = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GO111MODULE": "off",
        "GOCACHE": os.environ.get("GOCACHE") or str(folder / "cache"),
        "GOFLAGS": "",
        "GOPATH": str(gopath),
    }
    source = Path(__file__).with_name("govet") / "main.go"
    subprocess.run([go, "build", "-o", folder / "govet", source], env=environ, check=True)
    return folder / "govet"


@pytest.fixture(scope="session")
def big_log() -> logs.Log:
    """10,000 entries: 39 full tiles and one of 16."""
    return logs.make(10_000)

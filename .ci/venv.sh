#!/bin/sh
# Makes the virtual environment named by $1 from pyproject.toml, with the exact versions of constraints.txt.
set -eu
venv=$1

newest_python() { # the newest one that runs and brings venv
	for name in python3.14 python3.13 python3.12 python3.11 python3; do
		"$name" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
		echo "$name"
		return
	done
	return 1
}

if ! python=$(newest_python); then
	echo "Python 3.11 or later with its venv module is needed here. Type:" >&2
	if command -v apt-get >/dev/null 2>&1; then
		echo "    sudo apt-get install python3-venv" >&2
	elif command -v dnf >/dev/null 2>&1; then
		echo "    sudo dnf install python3" >&2
	elif command -v brew >/dev/null 2>&1; then
		echo "    brew install python@3.13" >&2
	else
		echo "    (your system's command to install Python 3.11 or later)" >&2
	fi
	exit 1
fi

echo "Installing into $venv ..."
# The build tool warns of the kind of installation that is meant here.
export PYTHONWARNINGS=ignore
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip() { "$venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
# Only a newer pip than some systems bring knows --group.
pip install --constraint constraints.txt "pip>=25.1"
pip install --constraint constraints.txt --editable . --group dev

#!/bin/sh
# Runs every test and measures branches, those of child processes under other accounts included.
# Ends with pytest's closing line; its status is the first thing that failed.
set -u
python=$1
build=$PWD/build
rm -rf "$build/coverage"
mkdir -p "$build/coverage"
# Processes in accounts of their own write here too.
chmod 1777 "$build/coverage"
export COVERAGE_FILE="$build/coverage/data"

"$python" -m coverage run -m pytest -n 2 --dist loadfile -m "not soak" --color=yes 2>&1 | tee "$build/pytest.txt"
closing=$(tail -n 1 "$build/pytest.txt")
# A pipe hides its first command's status: the closing line has it too.
case $closing in *failed* | *error* | *"no tests"*) failed=1 ;; *passed*) failed=0 ;; *) failed=1 ;; esac

"$python" -m coverage combine --quiet || failed=1
"$python" -m coverage report --fail-under=95 || failed=1
for part in crm/keeper crm/kit; do
	echo "$part:"
	"$python" -m coverage report --include="$part/*" --fail-under=100 || failed=1
done
echo "$closing"
exit $failed

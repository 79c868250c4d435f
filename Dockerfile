# One image for every process; docker-compose.yml says which one a container runs.

FROM node:20.20-bookworm-slim AS build
WORKDIR /app
# better-sqlite3, which tests need, is compiled where its prebuilt binary can't be fetched.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 make g++ \
    && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN node_modules/.bin/tsc -p tsconfig.image.json
RUN node_modules/.bin/vite build --config console/vite.config.ts --logLevel warn
# What is optional is for configurations in TypeScript, and for speed in Redis' protocol.
RUN npm prune --omit=dev --omit=optional && node scripts/slim.js node_modules

FROM node:20.20-bookworm-slim
ENV NODE_ENV=production
ENV FIG_CONFIG=dist/fig.config.js
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/bin ./bin
COPY --from=build /app/scripts ./scripts
COPY --from=build /app/package.json ./
# The volume is born with this owner, so that the unprivileged user can write to it.
RUN mkdir -m 700 /data && chown node:node /data
VOLUME /data
USER node
CMD ["node", "--enable-source-maps", "dist/facade/main.js"]

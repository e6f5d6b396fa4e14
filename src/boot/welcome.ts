// What `npm start` prints when the service is ready: its addresses, and how to create a first key.

import { resolve } from 'node:path'
import type { Config } from './config.js'

/** @returns the text. The command in it works in another terminal on the same store. */
export function welcome(
  url: string,
  { dataDir, redisUrl, redisSocket }: Pick<Config, 'dataDir' | 'redisUrl' | 'redisSocket'>,
) {
  const isGiven = redisUrl !== undefined || redisSocket !== undefined
  const place = isGiven ? '' : `TABIR_DATA_DIR=${quoted(resolve(dataDir))} `
  const same = isGiven ? ', with the same REDIS_URL or REDIS_SOCKET' : ''
  return `
  the page      ${url}/
  the console   ${url}/console
  the API       ${url}/docs
  A first key, for the console and for programs, in another terminal${same}:
    ${place}npx tabir keys create --org 'My organisation' --kind operator --scopes ${FIRST_SCOPES}
  Ctrl-C stops it.`
}

/** Enough for the whole console and the README's examples; a platform's own key needs less. */
const FIRST_SCOPES = 'admin,match,signals:write,feedback,webhooks'

/** Quotes a path for a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

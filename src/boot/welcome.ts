// What `npm start` says to somebody who starts it for the first time: where to look, and how to be let in.

import { resolve } from 'node:path'
import type { Config } from './config.js'

/** The command as it has to be typed in another terminal, so that it works on this store. */
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

/** Enough to see all of the console and to try what the README does; a platform's own key needs less. */
const FIRST_SCOPES = 'admin,match,signals:write,feedback,webhooks'

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

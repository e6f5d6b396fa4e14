// Workers say with a request which version their answer will have. The version is looked at before a picture is sent, because it is sent only once.

import type { IncomingMessage } from 'node:http'
import { isKnownVersion } from '../domain/message-version.js'

/** Header of the requests of workers. */
export const VERSION_HEADER = 'x-tabir-version'

/** @returns whether this picture or video has to wait for another worker, because the answer of this one could be misread. */
export function isForOthers(
  { headers }: IncomingMessage,
  pending: { isWaiting(ticket: string): boolean },
  ticket: string,
): boolean {
  const written = headers[VERSION_HEADER]
  return !isKnownVersion(typeof written === 'object' ? written[0] : written) && pending.isWaiting(ticket)
}

// All that this bench knows of how Tabir hashes and decides.

import { decisionBits as widestDecision } from '../../dist/src/domain/evidence.js'
import { loadImageHasherSync } from '../../dist/src/hash/image-hasher.js'
import { decode } from '../../dist/workers/media/decode.js'

export { decode }

const hasher = loadImageHasherSync()

/** @returns the signals of a picture that somebody wants found: `{ type, view, quality, hashes }`, the first hash as it is. */
export function registered(pixels) {
  return hasher.hash(pixels, 'register', pixels.aspect).signals
}

/** The same of a picture that is asked about; `hashes` are those of all its turns. */
export function asked(pixels) {
  return hasher.hash(pixels, 'query', pixels.aspect).signals
}

/** The widest distance of a query's view from a registered one that is acted on without anybody looking. */
export function decisionBits(type, query, registered) {
  return widestDecision(type, { asked: query, registered })
}

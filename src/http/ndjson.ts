// Lines of JSON from a body of any length, one at a time.

import { jsonOrUndefined } from '../domain/json.js'
import { MAX_SHORT_LINE_CHARS, readLines } from '../exchange/text-lines.js'

export interface NdjsonLine {
  /** From 1. */
  readonly line: number
  /** What the line says; `undefined` when it is no JSON or too long. */
  readonly value: unknown
}

/**
 * Empty lines are left out. Memory stays at one chunk and a few lines.
 * @param yielder yields to the event loop where it is due, also between empty lines.
 * @throws {Problem} upload-incomplete when the body breaks off; every line before that was given.
 */
export async function* readNdjson(
  body: AsyncIterable<unknown>,
  yielder: () => Promise<void> | undefined,
): AsyncGenerator<NdjsonLine> {
  for await (const lines of readLines(body, MAX_SHORT_LINE_CHARS)) {
    for (const { line, text } of lines) {
      const turn = yielder()
      if (turn !== undefined) await turn
      if (text !== '') yield { line, value: text === undefined ? undefined : jsonOrUndefined(text) }
    }
  }
}

/** Is this a body that arrives line by line? */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

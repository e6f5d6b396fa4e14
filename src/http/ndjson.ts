// Reads lines of JSON from a body of any length, one at a time.

import { jsonOrUndefined } from '../domain/json.js'
import { MAX_SHORT_LINE_CHARS, readLines } from '../exchange/text-lines.js'

export interface NdjsonLine {
  /** Counted from 1. */
  readonly line: number
  /** The parsed line; `undefined` if it is not JSON or too long. */
  readonly value: unknown
}

/**
 * Skips empty lines. Memory: one chunk and a few lines.
 * @param yielder yields to the event loop when needed, also between empty lines.
 * @throws {Problem} upload-incomplete if the body breaks off, after all complete lines.
 */
export async function* readNdjson(
  body: AsyncIterable<unknown>,
  yielder: () => Promise<void> | undefined,
): AsyncGenerator<NdjsonLine> {
  for await (const lines of readLines(body, MAX_SHORT_LINE_CHARS)) {
    for (const { line, text } of lines) {
      const pause = yielder()
      if (pause !== undefined) await pause
      if (text !== '') yield { line, value: text === undefined ? undefined : jsonOrUndefined(text) }
    }
  }
}

/** Whether the body is a stream, to be read line by line. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

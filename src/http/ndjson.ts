// Lines of JSON from a body of any length, one at a time.

import { StringDecoder } from 'node:string_decoder'
import { Problem } from '../domain/problem.js'

export interface NdjsonLine {
  /** From 1. */
  readonly line: number
  /** What the line says; `undefined` when it is no JSON or too long. */
  readonly value: unknown
}

const MAX_LINE_CHARS = 4096

/**
 * Empty lines are left out, as are the bytes of a line beyond 4,096 characters. Memory stays at one chunk and one line.
 * @throws {Problem} upload-incomplete when the body breaks off; every line before that was given.
 */
export async function* readNdjson(body: AsyncIterable<unknown>): AsyncGenerator<NdjsonLine> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let overlong = false
  let line = 0
  const finish = (text: string): NdjsonLine[] => {
    line++
    const whole = (rest + text).trim()
    const tooLong = overlong || whole.length > MAX_LINE_CHARS
    rest = ''
    overlong = false
    if (whole === '' && !tooLong) return []
    return [{ line, value: tooLong ? undefined : parse(whole) }]
  }
  for await (const chunk of whole(body)) {
    const parts = decoder.write(chunk).split('\n')
    const last = parts.pop() ?? ''
    for (const part of parts) yield* finish(part)
    rest += last
    if (rest.length > MAX_LINE_CHARS) {
      overlong = true
      rest = ''
    }
  }
  yield* finish(decoder.end())
}

/** A client that leaves is no fault of ours. */
async function* whole(body: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) if (Buffer.isBuffer(chunk)) yield chunk
  } catch (error) {
    throw new Problem('upload-incomplete', { cause: error })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

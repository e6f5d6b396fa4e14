// Splits a stream of text into lines with bounded memory.

import { StringDecoder } from 'node:string_decoder'
import { Problem } from '../domain/problem.js'

export interface TextLine {
  /** Line number, from 1. */
  readonly line: number
  /** Trimmed; `undefined` when the line has more than `MAX_LINE_CHARS`. */
  readonly text: string | undefined
}

/** Enough for a picture with 64 signals. */
export const MAX_LINE_CHARS = 16_384
/** A chunk may consist of 65,536 empty lines. Handled in one batch, they would block the event loop. */
const MAX_LINES_AT_ONCE = 128

/**
 * Yields the lines of a body in batches of at most 128, empty lines included. Callers should yield to the event loop between batches.
 *
 * Memory: one chunk and one line. The text of a line that is too long is dropped.
 * @throws {Problem} upload-incomplete when the body breaks off, after all lines before that were yielded.
 */
export async function* readLines(body: AsyncIterable<unknown>): AsyncGenerator<readonly TextLine[]> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let overlong = false
  let line = 0
  const finish = (end: string): TextLine => {
    line++
    const whole = rest + end
    const text = overlong || whole.length > MAX_LINE_CHARS ? undefined : withoutMark(whole, line).trim()
    rest = ''
    overlong = false
    return { line, text }
  }
  for await (const chunk of whole(body)) {
    const text = decoder.write(chunk)
    let at = 0
    while (text.includes('\n', at)) {
      const lines: TextLine[] = []
      for (let end = text.indexOf('\n', at); end !== -1 && lines.length < MAX_LINES_AT_ONCE; end = text.indexOf('\n', at)) {
        lines.push(finish(text.slice(at, end)))
        at = end + 1
      }
      yield lines
    }
    rest += text.slice(at)
    if (rest.length > MAX_LINE_CHARS) {
      overlong = true
      rest = ''
    }
  }
  const end = decoder.end()
  if (rest !== '' || end !== '' || overlong) yield [finish(end)]
}

/** Reports an aborted upload as the client's problem, not as an error of the server. */
async function* whole(body: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) if (Buffer.isBuffer(chunk)) yield chunk
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('upload-incomplete', { cause: error })
  }
}

/** Removes the byte order mark that some programs write before the first line. */
function withoutMark(text: string, line: number): string {
  return line === 1 && text.startsWith('\u{feff}') ? text.slice(1) : text
}

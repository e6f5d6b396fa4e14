// Lines of a text of any length, a chunk's worth at a time.

import { StringDecoder } from 'node:string_decoder'
import { Problem } from '../domain/problem.js'

export interface TextLine {
  /** From 1. */
  readonly line: number
  /** Without its end and without white space around it; `undefined` when it is too long. */
  readonly text: string | undefined
}

/** Room for a picture with 64 signals. */
export const MAX_LINE_CHARS = 16_384
/** A chunk may have 65,536 lines of nothing. All at once, they keep the event loop from everybody before anybody can let it turn. */
const MAX_LINES_AT_ONCE = 128

/**
 * Empty lines are given too, so that their numbers are right; nothing is given for what follows the last line's end when that is
 * empty. Memory stays at one chunk and a few lines: of a longer line, only that it was there is kept. Whoever reads on an event loop that
 * others need lets it turn between lines.
 * @throws {Problem} upload-incomplete when the body breaks off; every line before that was given.
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

/** A client that leaves is no fault of ours. */
async function* whole(body: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) if (Buffer.isBuffer(chunk)) yield chunk
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('upload-incomplete', { cause: error })
  }
}

/** What some programs write before the first line of UTF-8. */
function withoutMark(text: string, line: number): string {
  return line === 1 && text.startsWith('\u{feff}') ? text.slice(1) : text
}

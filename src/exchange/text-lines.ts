// Splits a stream of text into lines with bounded memory.

import { StringDecoder } from 'node:string_decoder'
import { Problem } from '../domain/problem.js'

export interface TextLine {
  /** Line number, from 1. */
  readonly line: number
  /** Without white space at its ends; `undefined` when the line is too long. */
  readonly text: string | undefined
}

/** Enough for a video of an hour as vPDQ's JSON in one line, with a frame a second: a frame takes up to 90 characters. */
export const MAX_LINE_CHARS = 327_680
/** Enough for 200 signals as `tabir export` writes them: a signal of a video takes up to 145 characters. Longer lines can be vPDQ only. */
export const MAX_SHORT_LINE_CHARS = 32_768
/** A chunk may consist of 65,536 empty lines. Handled in one batch, they would block the event loop. */
const MAX_LINES_AT_ONCE = 128
/** Pieces of one line that are kept before they are joined: a line that arrives byte by byte would take thirty times its length. */
const MAX_PIECES = 1024

/**
 * Yields the lines of a body in batches of at most 128, empty lines included. Callers should yield to the event loop between batches.
 *
 * Memory: one chunk and one line. The text of a line that is too long is dropped.
 * @param maxChars the longest line whose text is given.
 * @param keepsTabs whether tabs at the beginning of a line stay: in tables they are columns without text.
 * @throws {Problem} upload-incomplete when the body breaks off, after all lines before that were yielded.
 */
export async function* readLines(
  body: AsyncIterable<unknown>,
  maxChars = MAX_LINE_CHARS,
  keepsTabs = false,
): AsyncGenerator<readonly TextLine[]> {
  let decoder: Decoder | undefined
  const rest = createRest(maxChars)
  const trim = (text: string) => (keepsTabs ? text.trimEnd().replace(/^[^\S\t]+/, '') : text.trim())
  let line = 0
  const finish = (end: string): TextLine => {
    line++
    const text = rest.end(end)
    return { line, text: text === undefined ? undefined : trim(withoutMark(text, line)) }
  }
  for await (const chunk of fromMark(whole(body))) {
    decoder ??= utf16DecoderFor(chunk) ?? new StringDecoder('utf8')
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
    rest.add(text.slice(at))
  }
  const end = decoder?.end() ?? ''
  if (!rest.isEmpty || end !== '') yield [finish(end)]
}

const UTF16 = new Map([
  ['fffe', 'utf-16le'],
  ['feff', 'utf-16be'],
])
interface Decoder {
  write(chunk: Buffer): string
  end(): string
}

/**
 * Windows writes text in UTF-16: `hashes > list.txt` in PowerShell, "Unicode text" in spreadsheets.
 * @returns `undefined` without the byte order mark of UTF-16.
 */
function utf16DecoderFor(chunk: Buffer): Decoder | undefined {
  const name = UTF16.get(chunk.toString('hex', 0, 2))
  if (name === undefined) return undefined
  const decoder = new TextDecoder(name)
  return { write: (chunk) => decoder.decode(chunk, { stream: true }), end: () => decoder.decode() }
}

interface Rest {
  readonly isEmpty: boolean
  add(text: string): void
  /** The whole line; `undefined` when it is too long. The next line begins. */
  end(text: string): string | undefined
}

/** A line that has not arrived in full. */
function createRest(maxChars: number): Rest {
  let pieces: string[] = []
  let chars = 0
  const add = (text: string) => {
    chars += text.length
    if (chars > maxChars) pieces = []
    else if (text !== '') pieces.push(text)
    if (pieces.length >= MAX_PIECES) pieces = [pieces.join('')]
  }
  return {
    get isEmpty() {
      return chars === 0
    },
    add,
    end(text) {
      add(text)
      const line = chars > maxChars ? undefined : pieces.join('')
      pieces = []
      chars = 0
      return line
    },
  }
}

/** Reports an aborted upload as the client's problem, not as an error of the server. */
async function* whole(body: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) if (Buffer.isBuffer(chunk)) yield chunk
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('upload-incomplete', { cause: error })
  }
}

/** The first chunk has two bytes at least, if there are as many: as long as the mark of UTF-16. */
async function* fromMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const next: Buffer = first === undefined ? chunk : Buffer.concat([first, chunk])
    first = first === undefined || next.length >= 2 ? undefined : next
    if (first === undefined) yield next
  }
  if (first !== undefined) yield first
}

/** Removes the byte order mark that some programs write before the first line. */
function withoutMark(text: string, line: number): string {
  return line === 1 && text.startsWith('\u{feff}') ? text.slice(1) : text
}

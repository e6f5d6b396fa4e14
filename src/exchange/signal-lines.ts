// Recognises the format of a file of signals by its first line, and reads lines: hex alone, `pdq <hex>`, CSV, JSON or vPDQ.

import { FILE_FORMATS, type FileFormat, type ReadRecord } from '../domain/organisations/bank-import.js'
import { Problem } from '../domain/problem.js'
import { csvReaderFor } from './csv-signals.js'
import { NUL, rejected, signalFrom } from './given-signal.js'
import { createJsonReader } from './json-signals.js'
import { type RecordReader, singleLines } from './record-reader.js'
import { MAX_SHORT_LINE_CHARS } from './text-lines.js'
import { newSignalOf, readVpdqJson } from './vpdq.js'
import { createVpdqReader, isVpdq } from './vpdq-lines.js'

/**
 * Recognises the format of a file.
 *
 * @param given the first line that is not empty; it is then read like the others, unless it is a header.
 * @throws {Problem} request-invalid for a list in JSON, whose end comes last: it cannot be read line by line, nor continued.
 */
export function readerFor(given: string): Recognised & { readonly format: FileFormat } {
  const first = given.trim()
  if (!isVpdq(first) && LIST.test(first)) throw new Problem('request-invalid', { errors: [NOT_LINES] })
  for (const format of FILE_FORMATS) {
    const found = RECOGNISED[format](format === 'csv' ? given : first)
    if (found !== undefined) return { format, ...found }
  }
  return { format: 'lines', reader: singleLines(readPlain), isHeader: false }
}

/** The beginning of a list in JSON, alone or as the `data` of ThreatExchange. */
const LIST = /^(\[|\{$|\{\s*"data"\s*:\s*\[)/
const NOT_LINES = {
  pointer: '#',
  detail:
    'JSON has to be NDJSON: one object a line, and nothing around them, as `jq -c ".[]"` or `jq -c ".data[]"` writes it',
}

/** The line in which Excel names the separator of the lines below it. */
export function isSeparatorLine(text: string): boolean {
  return /^"?sep=[,;]?"?$/i.test(text)
}

interface Recognised {
  readonly reader: RecordReader
  /** Whether the first line is a header. */
  readonly isHeader: boolean
}

/** For each format: its reader, if the first line is in this format. */
const RECOGNISED: Readonly<Record<FileFormat, (first: string) => Recognised | undefined>> = {
  vpdq: (first) => (isVpdq(first) ? { reader: createVpdqReader(), isHeader: false } : undefined),
  ndjson: (first) => (first.startsWith('{') ? { reader: createJsonReader(), isHeader: false } : undefined),
  csv(first) {
    const found = csvReaderFor(first)
    return found && { reader: singleLines(found.read), isHeader: found.isHeader }
  },
  lines: () => undefined, // the format of all files that no other one recognises
}

const PLAIN = /^(?:(\S+)[ \t]+)?(\S+)$/
/** The same with a space between bytes. */
const SPACED = /^(?:(\S{3,})[ \t]+)?((?:[0-9a-f]{2} ){15,31}[0-9a-f]{2})$/i

/** Reads `<64 hex>`, `<type> <hex>`, or `vpdq <JSON>`. A line that begins with # is a comment. */
export function readPlain(text: string): ReadRecord {
  if (text === '' || text.startsWith('#')) return { kind: 'blank' }
  const [, json] = /^vpdq[ \t]+([[{].*)$/i.exec(text) ?? []
  if (json !== undefined) {
    const video = readVpdqJson(json)
    return typeof video === 'string' ? rejected(video) : { kind: 'put', signal: newSignalOf(video, {}) }
  }
  if (text.length > MAX_SHORT_LINE_CHARS) return rejected('record-too-long')
  if (text.includes(NUL)) return rejected('record-unreadable')
  const [, typeText = 'pdq', hex = ''] = SPACED.exec(text) ?? PLAIN.exec(text) ?? []
  return hex === '' ? rejected('record-unreadable') : signalFrom({ typeText, hex })
}

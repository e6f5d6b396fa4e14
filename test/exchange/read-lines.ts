// What the lines of a file are read as, in short texts.

import { formatSignalHash } from '../../packages/core/src/matching/hash-text.js'
import { formatHash } from '../../packages/hash/src/hash256.js'
import type { ReadRecord } from '../../src/domain/organisations/bank-import.js'
import { readerFor } from '../../src/exchange/signal-lines.js'

/** A short text for the record of each line. */
export function read(...lines: readonly [string, ...string[]]) {
  const { format, reader, isHeader } = readerFor(lines[0])
  const given = isHeader ? lines.slice(1) : lines
  const records = given.flatMap((text, i) => reader.read(text, i + 1)).map(({ record }) => short(record))
  return { format, records: isHeader ? ['blank', ...records] : records }
}

function short(record: ReadRecord): string {
  if (record.kind === 'blank') return 'blank'
  if (record.kind === 'rejected') return record.why
  if (record.kind === 'remove-id') return `remove ${record.signalId}`
  if (record.kind === 'remove')
    return `remove ${record.signal.signal.type} ${formatHash(record.signal.signal.hash)} ${record.signal.ref ?? ''}`.trim()
  const { signal, ref, category, tier } = record.signal
  return [signal.type, signal.quality, formatSignalHash(signal.type, signal.hash), ref, category, tier]
    .filter((part) => part !== undefined)
    .join(' ')
}

// The file in which a follower keeps its signals and its cursor. It contains hashes, so only its owner may read it. Each save rewrites it without
// withdrawn signals.

import { createReadStream } from 'node:fs'
import { formatSignalHash } from '../../core/src/matching/hash-text.js'
import { writeWholeFile } from '../../core/src/node/write-file.js'
import type { Held } from './held.js'
import { FeedError, linesOf, parseLine } from './parse-lines.js'

const CHUNK_CHARS = 65_536

/** Replaces the file. Does nothing before the first cursor. @throws {Error} when it cannot be written; the old file stays. */
export async function saveHeld(held: Held, path: string): Promise<void> {
  const { cursor } = held
  if (cursor !== undefined) await writeWholeFile(path, chunksOf(held, cursor))
}

function* chunksOf(held: Held, cursor: string): Generator<string, void, void> {
  let chunk = held.isNaming ? '{"op":"snapshot-begin"}\n' : ''
  for (const { signal, named } of held.entries()) {
    const { signals, ...facts } = signal
    const hashes = signals.map(({ hash, ...rest }) => ({ ...rest, hash: formatSignalHash(rest.type, hash) }))
    const line = { op: 'upsert', ...facts, signals: hashes, ...(held.isNaming && !named && { old: true }) }
    chunk += `${JSON.stringify(line)}\n`
    if (chunk.length < CHUNK_CHARS) continue
    yield chunk
    chunk = ''
  }
  yield `${chunk}${JSON.stringify({ op: 'cursor', cursor, more: true })}\n`
}

/** Reads the file into `held`. @returns whether there was a file. @throws {FeedError} file-unreadable: not such a file, or cut short. */
export async function loadHeld(held: Held, path: string): Promise<boolean> {
  try {
    for await (const text of linesOf(createReadStream(path))) held.apply(parseLine(text))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error instanceof FeedError ? new FeedError('file-unreadable') : error
  }
  if (held.cursor === undefined) throw new FeedError('file-unreadable')
  return true
}

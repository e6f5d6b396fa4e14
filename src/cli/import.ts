// tabir import: a file of hashes into a bank of a running api. Safe to stop and to run again.

import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { Transform } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { BANK_NAME_PATTERN } from '../../packages/core/src/matching/bank.js'
import { WrongSettings } from '../boot/config.js'
import { FILE_FORMATS, IMPORT_STATES, RECORD_REJECTIONS, SHORTER_LINES } from '../domain/organisations/bank-import.js'
import { byteBar } from './byte-bar.js'
import { failed, printJson } from './output.js'
import {
  ask,
  createRemote,
  printApiUrl,
  REMOTE_OPTIONS,
  REMOTE_USAGE,
  type Refused,
  type Remote,
  refusalOf,
  textOf,
} from './remote.js'

const USAGE = `tabir import FILE --bank BANK ${REMOTE_USAGE}
    FILE: hex lines, \`pdq <hex>\` lines, CSV or NDJSON, plain or gzip.`

const Report = z.object({
  importId: z.string(),
  format: z.enum(FILE_FORMATS).nullable(),
  lines: z.int(),
  accepted: z.int(),
  removed: z.int(),
  notFound: z.int(),
  categoriesIgnored: z.int().default(0), // an older api has none
  rejected: z.int(),
  rejectedFor: z.partialRecord(z.enum(RECORD_REJECTIONS), z.int()),
  rejections: z.array(z.object({ fromLine: z.int(), toLine: z.int(), reason: z.enum(RECORD_REJECTIONS) })),
  notFoundLines: z.array(z.object({ fromLine: z.int(), toLine: z.int() })),
  categoryIgnoredLines: z.array(z.object({ fromLine: z.int(), toLine: z.int() })).default([]),
})

/** Problems that a retry may solve. */
const WORTH_ANOTHER_TRY = [
  'store-unavailable',
  'index-loading',
  'overloaded',
  'rate-limited',
  'idempotency-key-busy',
  'upload-incomplete',
]
const MAX_TRIES = 8
const FIRST_WAIT_MS = 500

/** @returns the exit status: 0 when no line was refused; 1 on failure; 2 for wrong arguments; 3 when lines were refused */
export async function importFile(args: readonly string[]): Promise<number> {
  const options = optionsOf([...args])
  if (typeof options === 'string') return failed(options, 2)
  const { file, bank, remote } = options
  printApiUrl(remote.url)
  let sizeBytes: number
  let digest: string
  try {
    sizeBytes = statSync(file).size
    digest = await digestOf(file)
  } catch {
    return failed('The file cannot be read.', 1)
  }
  const bar = byteBar({ label: 'import', totalBytes: sizeBytes, stream: process.stderr, now: Date.now })
  let key: string | Refused | undefined
  for (let tries = 1; ; tries++) {
    if (typeof key !== 'string') key = await keyFor({ digest, bank, remote }).catch(() => NOT_REACHED)
    const outcome = typeof key === 'string' ? await send({ file, bank, remote, key, bar }).catch(() => NOT_REACHED) : key
    if ('lines' in outcome) {
      bar.end()
      printJson(outcome)
      if (outcome.rejections.some(({ reason }) => reason === 'record-too-long')) process.stderr.write(`${SHORTER_LINES}\n`)
      return outcome.rejected === 0 ? 0 : 3
    }
    if (tries === MAX_TRIES || !WORTH_ANOTHER_TRY.includes(outcome.code)) {
      bar.end()
      return failed(outcome.words, 1)
    }
    await sleep(outcome.retryAfterS === undefined ? FIRST_WAIT_MS * 2 ** (tries - 1) : outcome.retryAfterS * 1000)
  }
}

const NOT_REACHED: Refused = {
  code: 'upload-incomplete',
  words: 'The api cannot be reached, or the connection broke.',
  retryAfterS: undefined,
}

function optionsOf(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...REMOTE_OPTIONS, bank: { type: 'string' } },
      allowPositionals: true,
    })
    const [file, ...more] = positionals
    const { bank } = values
    if (file === undefined || more.length > 0 || bank === undefined || !BANK_NAME_PATTERN.test(bank)) return USAGE
    const remote = createRemote(values)
    return typeof remote === 'string' ? remote : { file, bank, remote }
  } catch (error) {
    if (error instanceof WrongSettings) throw error
    return USAGE
  }
}

const Listed = z.object({
  imports: z.array(z.object({ importId: z.string(), state: z.enum(IMPORT_STATES) })),
  next: z.string().nullable(),
})

/**
 * Idempotency key of the upload. It is the same for the same content until the import is done, so that the api continues a partial upload.
 * After each finished import into the bank it changes. Otherwise a file whose signals were removed since would get the old report and not
 * be imported.
 */
async function keyFor({ digest, bank, remote }: { digest: string } & Pick<Sending, 'bank' | 'remote'>) {
  const key = createHash('sha256').update(digest)
  for (let after = ''; ; ) {
    const response = await ask(remote, { method: 'GET', path: `/v1/banks/${bank}/imports?limit=1000${after}` })
    if (response.statusCode !== 200) return await refusalOf(response)
    const { imports, next } = Listed.parse(JSON.parse(await textOf(response)))
    for (const { importId, state } of imports) if (state === 'done') key.update(importId)
    if (next === null) return key.digest('hex')
    after = `&after=${encodeURIComponent(next)}`
  }
}

async function digestOf(file: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(file)) digest.update(chunk)
  return digest.digest('hex')
}

interface Sending {
  readonly file: string
  readonly bank: string
  readonly remote: Remote
  readonly key: string
  readonly bar: ReturnType<typeof byteBar>
}

async function send({ file, bank, remote, key, bar }: Sending): Promise<z.infer<typeof Report> | Refused> {
  bar.restart()
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bar.add(chunk.length)
      done(null, chunk)
    },
  })
  const response = await ask(remote, {
    method: 'POST',
    path: `/v1/banks/${bank}/imports`,
    headers: { 'content-type': 'application/octet-stream', 'idempotency-key': key },
    body: createReadStream(file).pipe(counted),
  })
  return response.statusCode === 201 ? Report.parse(JSON.parse(await textOf(response))) : refusalOf(response)
}

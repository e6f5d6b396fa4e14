// tabir export: writes a bank of one's own to a file, sealed or plain.

import { createReadStream, existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { BANK_NAME_PATTERN } from '../../packages/core/src/matching/bank.js'
import { writeWholeFile } from '../../packages/core/src/node/write-file.js'
import { WrongSettings } from '../boot/config.js'
import { AGE_RECIPIENT_PATTERN } from '../exchange/age.js'
import { EXPORT_FORMATS, type ExportFormat } from '../exchange/signal-writer.js'
import { readLines } from '../exchange/text-lines.js'
import { unpacked } from '../exchange/unpack.js'
import { standardOutput } from '../files/standard-output.js'
import { byteBar } from './byte-bar.js'
import { isClosedPipe, NOBODY_READS } from './closed-pipe.js'
import { failed } from './output.js'
import { ask, createRemote, printApiUrl, REMOTE_OPTIONS, REMOTE_USAGE, type Remote, refusalOf } from './remote.js'

const USAGE = `tabir export --bank BANK (--plain | --seal-to RECIPIENT) [--format ${EXPORT_FORMATS.join('|')}] [--since FILE] [--out FILE]
    ${REMOTE_USAGE}
    RECIPIENT: an age recipient, age1…. FILE of --since: an earlier plain export as NDJSON; then only new signals are written,
    and a tombstone for each removed signal.`

/** @returns the exit status: 0; 1 on failure; 2 for wrong arguments */
export async function exportBank(args: readonly string[]): Promise<number> {
  const options = optionsOf([...args])
  if (typeof options === 'string') return failed(options, 2)
  const { bank, format, seal, since, out, remote } = options
  printApiUrl(remote.url)
  if (out !== undefined && existsSync(out)) return failed(IS_THERE, 1)
  try {
    const known = since === undefined ? undefined : { path: since, ids: await signalIdsIn(since) }
    const asking = () =>
      ask(remote, {
        method: 'POST',
        path: `/v1/banks/${bank}/exports`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ format, ...seal }),
      })
    let response = await asking()
    for (let tries = 1; response.statusCode !== 200; tries++) {
      const { words, retryAfterS } = await refusalOf(response)
      if (response.statusCode !== 503 || retryAfterS === undefined || tries === TRIES) return failed(words, 1)
      await sleep(1000 * retryAfterS)
      response = await asking()
    }
    const bar = byteBar({ label: 'export', totalBytes: 0, stream: process.stderr, now: Date.now })
    const body = out === undefined ? response : counted(response, bar)
    const pieces = known === undefined ? body : changesSince(known, body)
    try {
      if (out === undefined) await pipeline(pieces, standardOutput())
      else await toFile(out, pieces)
    } finally {
      response.destroy()
    }
    bar.end()
    return 0
  } catch (error) {
    if (isClosedPipe(error)) return NOBODY_READS
    if (error instanceof NotAnExport || error instanceof UnderWay) return failed(error.message, 1)
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (isThere) return failed(IS_THERE, 1)
    return failed(`The export failed, and ${out === undefined ? 'the output is incomplete' : 'no file was written'}.`, 1)
  }
}

/** Maximum requests to an api that answers Retry-After because it, or its store, is starting. */
const TRIES = 8
/** Formats that `--since` supports. */
const MAY_FOLLOW: Readonly<Record<ExportFormat, boolean>> = { ndjson: true, csv: false, lines: false, hex: false }
const IS_THERE = 'The file exists already and is not overwritten.'

interface Options {
  readonly bank: string
  readonly format: ExportFormat
  readonly seal: { readonly plain: true } | { readonly sealTo: string }
  readonly since: string | undefined
  readonly out: string | undefined
  readonly remote: Remote
}

function optionsOf(args: string[]): Options | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        ...REMOTE_OPTIONS,
        bank: { type: 'string' },
        format: { type: 'string', default: 'ndjson' },
        plain: { type: 'boolean', default: false },
        'seal-to': { type: 'string' },
        since: { type: 'string' },
        out: { type: 'string' },
      },
    })
    const { bank, plain, 'seal-to': sealTo, since, out } = values
    const format = EXPORT_FORMATS.find((known) => known === values.format)
    if (bank === undefined || !BANK_NAME_PATTERN.test(bank) || format === undefined) return USAGE
    if (plain === (sealTo !== undefined)) return `Give either --plain or --seal-to.\n${USAGE}`
    if (sealTo !== undefined && !AGE_RECIPIENT_PATTERN.test(sealTo)) return '--seal-to must be an age recipient, age1…'
    if (since !== undefined && (!MAY_FOLLOW[format] || sealTo !== undefined))
      return '--since needs --plain and --format ndjson'
    const remote = createRemote(values)
    if (typeof remote === 'string') return remote
    return { bank, format, seal: sealTo === undefined ? { plain: true } : { sealTo }, since, out, remote }
  } catch (error) {
    if (error instanceof WrongSettings) throw error
    return USAGE
  }
}

interface EarlierExport {
  readonly path: string
  readonly ids: Set<string>
}

/**
 * Yields new signals, then a tombstone for each removed signal. A tombstone is the whole line: importers find the entry by its
 * hashes, not its id. Memory: the ids of the earlier export.
 * @throws {NotAnExport} before the first tombstone, if the bank holds no signal of the earlier export. It is probably another bank's, and
 * its tombstones would remove everything its reader has.
 */
async function* changesSince({ path, ids }: EarlierExport, body: AsyncIterable<unknown>): AsyncGenerator<string> {
  const knownAtFirst = ids.size
  let isNew = false
  for await (const lines of readLines(body)) {
    for (const { text } of lines) {
      const { id, isTombstone, isFirst } = signalOf(text ?? '')
      if (text === undefined || id === undefined || isTombstone) continue
      if (isFirst) isNew = !ids.delete(id)
      if (isNew) yield `${text}\n`
    }
  }
  if (knownAtFirst > 0 && ids.size === knownAtFirst) {
    throw new NotAnExport('This bank has no signal of the --since file. Is it an export of another bank?')
  }
  let isGone = false
  for await (const lines of readLines(unpacked(createReadStream(path)))) {
    for (const { text } of lines) {
      const { id, isTombstone, isFirst } = signalOf(text ?? '')
      if (text === undefined || id === undefined) continue
      if (isFirst) isGone = !isTombstone && ids.delete(id)
      if (isGone) yield `${isFirst ? tombstoneOf(text) : text}\n`
    }
  }
}

/** The file of `--since` cannot be used; the message says why. */
class NotAnExport extends Error {}

/** @throws {NotAnExport} if the file cannot be read, or has a line that is not an export line: signals missed here would seem new */
async function signalIdsIn(path: string): Promise<Set<string>> {
  const ids = new Set<string>()
  try {
    for await (const lines of readLines(unpacked(createReadStream(path)))) {
      for (const { line, text } of lines) {
        if (text === '') continue
        const { id, isTombstone, isFirst } = signalOf(text ?? '')
        if (id !== undefined && !isFirst) continue
        if (id === undefined) throw new NotAnExport(`Line ${line} of the --since file is not a line of an NDJSON export.`)
        if (isTombstone) ids.delete(id)
        else ids.add(id)
      }
    }
  } catch (error) {
    if (error instanceof NotAnExport) throw error
    throw new NotAnExport('The --since file cannot be read.')
  }
  return ids
}

interface ExportedLine {
  readonly id: string | undefined
  readonly isTombstone: boolean
  /** Whether it is the first line of its signal, picture or video. */
  readonly isFirst: boolean
}

/** Parses a line that `tabir export` wrote. */
function signalOf(text: string): ExportedLine {
  const [, id, next] = /^\{"signalId":"([0-9a-f-]{36})"(,"line":)?/.exec(text) ?? []
  return { id, isTombstone: text.endsWith('"deleted":true}'), isFirst: next === undefined }
}

async function* counted(body: AsyncIterable<Uint8Array>, bar: ReturnType<typeof byteBar>): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    bar.add(piece.length)
    yield piece
  }
}

/** First removes what a killed export left. Resolves only when the temporary files beside the target are gone, also after an error. */
async function toFile(path: string, pieces: AsyncIterable<Uint8Array | string>): Promise<void> {
  const beside = `${path}.under-way`
  const release = await claimFor(beside)
  try {
    await rm(beside, { force: true })
    await writeWholeFile(path, pieces, { isNew: true, beside })
  } finally {
    await release()
  }
}

/** @returns a function that releases the name. @throws {UnderWay} if another running process has claimed it */
async function claimFor(beside: string): Promise<() => Promise<void>> {
  const claim = `${beside}.pid`
  const writer = Number(await readFile(claim, 'utf8').catch(() => ''))
  if (writer > 0 && isRunning(writer)) throw new UnderWay(writer, claim)
  await rm(claim, { force: true })
  await writeWholeFile(claim, [String(process.pid)], { isNew: true }).catch(async (error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new UnderWay(Number(await readFile(claim, 'utf8').catch(() => '')), claim)
  })
  return () => rm(claim, { force: true })
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

class UnderWay extends Error {
  constructor(pid: number, claim: string) {
    super(`Another export (process ${pid}) is writing this file. If that process is no export, remove ${claim}.`)
  }
}

function tombstoneOf(line: string): string {
  const signal: unknown = JSON.parse(line)
  return JSON.stringify({ ...Object(signal), deleted: true })
}

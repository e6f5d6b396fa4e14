// The command `tabir index status`: what the search index of an api holds, from its health route.

import { parseArgs } from 'node:util'
import type { z } from 'zod'
import { routeAt } from '../../packages/core/src/service-address.js'
import { readConfig } from '../boot/config.js'
import { IndexReport } from '../http/schemas.js'
import { notReadyReasonIn } from './doctor/doctor-api.js'
import { failed } from './output.js'
import { apiUrlFrom, createRemote, printApiUrl, REMOTE_OPTIONS, shownAddress } from './remote.js'

type Report = z.infer<typeof IndexReport>
type Index = Report['indexes'][number]

const USAGE = 'tabir index status [--url URL] [--key-file FILE] [--json]'
const TIMEOUT_MS = 5000

/** @returns the exit status: 0; 1 if no api answers; 2 for wrong arguments */
export async function indexStatus(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args
  const options = verb === 'status' ? optionsOf(rest) : undefined
  if (options === undefined) return failed(USAGE, 2)
  const config = readConfig(process.env)
  const url = options.url ?? apiUrlFrom(config)
  // Only an api with public exposure requires a key.
  const remote = options['key-file'] === undefined && config.apiKey === undefined ? undefined : createRemote(options)
  if (typeof remote === 'string') return failed(remote, 2)
  printApiUrl(new URL(url))
  const answer = await fetchIndex(routeAt(url, '/health/index'), remote?.key).catch(() => undefined)
  if (answer === undefined) return failed(`No api answers at ${shownAddress(new URL(url))}.`, 1)
  const { status, text } = answer
  if (status === 401 || status === 403)
    return failed(
      `The api at ${shownAddress(new URL(url))} requires a key with the scope admin, in TABIR_API_KEY or in a file named by --key-file.`,
      1,
    )
  if (status !== 200) return failed(`The api at ${shownAddress(new URL(url))} is not ready${reasonSuffix(text)}.`, 1)
  process.stdout.write(options.json === true ? `${text}\n` : formatReport(IndexReport.parse(JSON.parse(text))))
  return 0
}

function optionsOf(args: string[]): { url?: string; 'key-file'?: string; json?: boolean } | undefined {
  try {
    const { values } = parseArgs({ args, options: { ...REMOTE_OPTIONS, json: { type: 'boolean' } } })
    if (values.url !== undefined) new URL(values.url)
    return values
  } catch {
    return undefined
  }
}

async function fetchIndex(url: URL, key: string | undefined): Promise<{ readonly status: number; readonly text: string }> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
  return { status: response.status, text: await response.text() }
}

function reasonSuffix(text: string): string {
  const reason = notReadyReasonIn(text)
  return reason === undefined ? '' : `: ${reason}`
}

function formatReport({ revision, behind, stalenessMs, images, imageBytes, indexes }: Report): string {
  const lag = behind === 0 ? 'nothing is missing' : `${formatCount(behind)} changes behind`
  const lines = [
    `revision ${revision}, ${lag}, last update from the store ${stalenessMs} ms ago`,
    `${formatCount(images)} images, ${formatBytes(imageBytes)} besides their rows`,
  ]
  for (const each of indexes) lines.push('', ...indexLines(each))
  return `${lines.join('\n')}\n`
}

function indexLines({ type, rows, liveRows, bytes, thresholdBits, parts }: Index): string[] {
  if (rows === 0) return [`${type}: no rows`]
  const perRow = (bytes / rows).toFixed(1)
  const head = `${type}: ${formatCount(liveRows)} live of ${formatCount(rows)} rows, ${formatBytes(bytes)}, ${perRow} bytes a row; at ${thresholdBits} bits:`
  return [
    head,
    ...parts.map((part) => {
      const plan =
        part.radii === undefined
          ? 'reads every row'
          : `${formatCount(part.probes)} probes, ${formatCount(part.candidates)} candidates, radii ${part.radii.join(' ')}`
      return `  ${part.kind.padEnd(8)}${formatCount(part.rows).padStart(12)} rows${formatCount(part.deadRows).padStart(9)} dead${formatBytes(part.bytes).padStart(10)}   ${plan}`
    }),
  ]
}

function formatCount(number: number): string {
  return number.toLocaleString('en-US')
}

function formatBytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

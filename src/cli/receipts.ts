// tabir receipts verify: verifies receipts, and reports, which the same key signs.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { routeAt } from '../../packages/core/src/service-address.js'
import { readConfig, WrongSettings } from '../boot/config.js'
import { Receipt } from '../services/cases/receipts.js'
import { Report } from '../services/cases/report.js'
import { isSignedBy, publicKeyFrom } from '../services/records/signer.js'
import { failed } from './output.js'
import { apiUrlFrom, printApiUrl } from './remote.js'

const USAGE = 'tabir receipts verify FILE [--key FILE] [--url URL]'
const TIMEOUT_MS = 5000

/** @returns the exit status: 0 for a valid receipt; 1 for an invalid one; 2 if it cannot be verified */
export async function receipts(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args
  const options = verb === 'verify' ? optionsOf(rest) : undefined
  if (options === undefined) return failed(USAGE, 2)
  const text = readOrUndefined(options.file)
  if (text === undefined) return failed('The receipt file cannot be read.', 2)
  const key = await keyFrom(options).catch((error: unknown) => {
    if (error instanceof WrongSettings) throw error
    return undefined
  })
  if (key === undefined) return failed('The public key cannot be read. Name a file with --key, or an api with --url.', 2)
  const document = documentIn(text)
  if (document === undefined) return failed('Not valid: this is neither a receipt nor a report, or it was changed.', 1)
  if (!isSignedBy(key, document)) return failed('Not valid: it was changed, or another key signed it.', 1)
  process.stdout.write(`Valid: ${described(document)}.\n`)
  return 0
}

function optionsOf(args: string[]) {
  try {
    const options = { key: { type: 'string' }, url: { type: 'string' } } as const
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) return undefined
    return { file, key: values.key, url: values.url === undefined ? undefined : new URL(values.url) }
  } catch {
    return undefined
  }
}

async function keyFrom({ key, url }: { readonly key: string | undefined; readonly url: URL | undefined }) {
  if (key !== undefined) return publicKeyFrom(readFileSync(key, 'utf8'))
  const base = url ?? new URL(apiUrlFrom(readConfig(process.env)))
  printApiUrl(base)
  const response = await fetch(routeAt(base, '/v1/receipts/key'), { signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (response.status !== 200) throw new Error('no key there')
  return publicKeyFrom(await response.text())
}

function documentIn(text: string): Receipt | Report | undefined {
  try {
    const value: unknown = JSON.parse(text)
    // If a name appears twice, the parser takes the last value and a person reads the first. What is verified must be what is read.
    return namesIn(text) === namesOf(value) ? Receipt.or(Report).safeParse(value).data : undefined
  } catch {
    return undefined
  }
}

/** @returns the number of member names in a JSON text. */
function namesIn(text: string): number {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined).length
}

function namesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value).reduce((sum: number, each) => sum + namesOf(each), 0)
  return Array.isArray(value) ? inner : inner + Object.keys(value).length
}

function described(document: Receipt | Report): string {
  const { caseNumber, state } = document
  if (document.type === 'tabir-report') return `report of ${document.madeAt} on case ${caseNumber}, ${state}`
  return `case ${caseNumber}, ${state} at ${document.endedAt}, ${document.images} images erased`
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

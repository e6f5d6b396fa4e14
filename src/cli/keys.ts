// tabir keys create | list | rotate | revoke | suspend | restore

import { parseArgs } from 'node:util'
import { readConfig } from '../boot/config.js'
import { messageOf } from '../domain/message-of.js'
import { isScope, ORG_KINDS, SCOPES, type Scope } from '../domain/organisations/access.js'
import { isPlainLine } from '../domain/plain-text.js'
import { isNetwork } from '../net/networks.js'
import { createApiKey, rotateApiKey } from '../services/keys/access.js'
import { type ApiKey, type ApiKeys, createApiKeyStore } from '../store/organisations/api-keys.js'
import { createKeyUseStore, type KeyUses } from '../store/organisations/key-uses.js'
import { checkInUse } from '../store/redis/format.js'
import { createEventStore, type Events } from '../store/webhooks/events.js'
import { instantOf, printJson } from './output.js'
import { sealKeys } from './seal-keys.js'
import { withStore } from './store-of-command.js'

const NO_KEY = 'There is no such key.'
const HOUR_MS = 3_600_000
const OVERLAP_HOURS = 168

/** @returns the exit status: 0; 1 on failure; 2 for wrong arguments */
export async function keys(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args
  try {
    if (verb === 'create') return await create(rest)
    if (verb === 'list') return await list(rest)
    if (verb === 'rotate') return await rotate(rest)
    if (verb === 'revoke') return await revoke(rest)
    if (verb === 'suspend' || verb === 'restore') return await suspend(verb, rest)
    if (verb === 'seal') return await sealKeys(rest)
    return unusable('tabir keys create | list | rotate | revoke | suspend | restore | seal')
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS') ? 2 : 1
  }
}

async function create(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      org: { type: 'string' },
      kind: { type: 'string' },
      scopes: { type: 'string' },
      networks: { type: 'string' },
      'expires-days': { type: 'string' },
    },
  })
  const { org, kind: kindText, scopes: scopesText, networks: networksText } = values
  const kind = ORG_KINDS.find((known) => known === kindText)
  const names = listed(scopesText)
  const scopes = new Set(names.filter(isScope))
  const networks = networksText === undefined ? undefined : listed(networksText)
  const days = wholeNumber(values['expires-days'], 36_500)
  if (org === undefined || org.trim() === '') return unusable('--org NAME is required')
  if (!isPlainLine(org.trim())) return unusable('--org must be one line without control characters')
  if (kind === undefined) return unusable(`--kind must be one of ${ORG_KINDS.join(', ')}`)
  if (names.length === 0 || scopes.size !== names.length)
    return unusable(`--scopes must be one or more of ${SCOPES.join(',')}`)
  if (days === 'unusable') return unusable('--expires-days must be a whole number of days')
  if (networks?.every(isNetwork) === false || networks?.length === 0)
    return unusable('--networks must be one or more addresses or networks, such as 192.0.2.0/24,2001:db8::/32')
  const { env } = readConfig(process.env)
  const nowMs = Date.now()
  const expiresAtMs = days === undefined ? undefined : nowMs + days * 24 * HOUR_MS
  const made = await withApiKeys(({ apiKeys }) =>
    createApiKey(apiKeys, { org: org.trim(), kind, scopes, env, nowMs, expiresAtMs, networks }),
  )
  printJson(made)
  return 0
}

async function list(args: string[]): Promise<number> {
  parseArgs({ args }) // throws for any option or argument
  const rows = await withApiKeys(async ({ apiKeys, uses }) => {
    const [all, lastUsedOn] = await Promise.all([apiKeys.all(), uses.all()])
    return Promise.all(
      all.map(async ({ keyId, orgId, scopes, networks, createdAtMs, expiresAtMs, suspendedAtMs }) => {
        const org = await apiKeys.org(orgId)
        return {
          keyId,
          org: org?.name,
          kind: org?.kind,
          scopes: scopesText(scopes),
          createdAt: instantOf(createdAtMs),
          expiresAt: instantOf(expiresAtMs),
          suspendedAt: instantOf(suspendedAtMs),
          networks: networks?.join(','),
          lastUsedOn: lastUsedOn.get(keyId),
        }
      }),
    )
  })
  for (const row of rows) printJson(row)
  return 0
}

async function rotate(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { 'overlap-hours': { type: 'string' } },
  })
  const keyId = theOnly(positionals)
  const hours = wholeNumber(values['overlap-hours'], 8760) ?? OVERLAP_HOURS
  if (keyId === undefined || hours === 'unusable') return unusable('tabir keys rotate KEYID [--overlap-hours HOURS]')
  const { env } = readConfig(process.env)
  const nowMs = Date.now()
  const made = await withApiKeys(({ apiKeys }) => rotateApiKey(apiKeys, { keyId, env, nowMs, overlapMs: hours * HOUR_MS }))
  if (made === undefined) return unusable(NO_KEY)
  printJson({ ...made, replaces: keyId, whichEndsBy: instantOf(nowMs + hours * HOUR_MS) })
  return 0
}

async function revoke(args: string[]): Promise<number> {
  const keyId = theOnly(parseArgs({ args, allowPositionals: true }).positionals)
  if (keyId === undefined) return unusable('tabir keys revoke KEYID')
  const revision = await withApiKeys(({ apiKeys }) => apiKeys.revoke(keyId, Date.now()))
  if (revision === undefined) return unusable(NO_KEY)
  printJson({ keyId, revoked: true })
  return 0
}

/** Suspends a key, or ends its suspension. */
async function suspend(verb: 'suspend' | 'restore', args: string[]): Promise<number> {
  const keyId = theOnly(parseArgs({ args, allowPositionals: true }).positionals)
  if (keyId === undefined) return unusable(`tabir keys ${verb} KEYID`)
  const nowMs = Date.now()
  const isSuspended = verb === 'suspend'
  const revision = await withApiKeys(async ({ apiKeys, events }) => {
    const orgId = (await apiKeys.get(keyId))?.orgId
    if (orgId === undefined) return undefined
    const by = { by: 'operator', atMs: nowMs } as const
    const entry = isSuspended
      ? ({ act: 'key.suspended', about: { keyId, orgId }, ...by } as const)
      : ({ act: 'key.restored', about: { keyId }, ...by } as const)
    const change = (key: ApiKey) => ({ key: { ...key, suspendedAtMs: isSuspended ? nowMs : undefined } })
    const changed = await apiKeys.change(keyId, change, entry)
    if (isSuspended && changed !== undefined) await events.add('key.suspended', { keyId, orgId }, nowMs, 1)
    return changed
  })
  if (revision === undefined) return unusable(NO_KEY)
  printJson({ keyId, suspended: isSuspended })
  return 0
}

interface KeyStores {
  readonly apiKeys: ApiKeys
  readonly uses: KeyUses
  readonly events: Pick<Events, 'add'>
}

function withApiKeys<T>(use: (stores: KeyStores) => Promise<T>): Promise<T> {
  return withStore(async ({ store }) => {
    await checkInUse(store)
    const events = createEventStore(store)
    return await use({ apiKeys: createApiKeyStore(store), uses: createKeyUseStore(store), events })
  })
}

function theOnly(words: readonly string[]): string | undefined {
  return words.length === 1 ? words[0] : undefined
}

function listed(text: string | undefined): string[] {
  return (text ?? '').split(',').filter((part) => part !== '')
}

function wholeNumber(text: string | undefined, max: number): number | undefined | 'unusable' {
  if (text === undefined) return undefined
  return /^\d{1,6}$/.test(text) && Number(text) <= max ? Number(text) : 'unusable'
}

function scopesText(scopes: ReadonlySet<Scope>): string {
  return [...scopes].join(',')
}

function unusable(why: string): number {
  process.stderr.write(`${why}\n`)
  return 2
}

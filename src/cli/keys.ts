// tabir keys create | list | revoke

import { parseArgs } from 'node:util'
import { readConfig } from '../config.js'
import { isScope, ORG_KINDS, SCOPES, type Scope } from '../domain/access.js'
import { createApiKey } from '../services/access.js'
import { type ApiKeys, apiKeysIn } from '../store/api-keys.js'
import { openRedisServer } from '../store/embedded-redis.js'
import { openStore } from '../store/store.js'

/** @returns the exit status: 0, or 2 for arguments that cannot be used, 1 for what went wrong. */
export async function keys(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args
  try {
    if (verb === 'create') return await create(rest)
    if (verb === 'list') return await list()
    if (verb === 'revoke') return await revoke(rest)
    return unusable('tabir keys create | list | revoke')
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

async function create(args: string[]): Promise<number> {
  const { org, kind: kindText, scopes: scopesText } = optionsOf(args)
  const kind = ORG_KINDS.find((known) => known === kindText)
  const names = (scopesText ?? '').split(',').filter((name) => name !== '')
  const scopes = new Set(names.filter(isScope))
  if (org === undefined || org.trim() === '') return unusable('--org NAME is needed')
  if (kind === undefined) return unusable(`--kind is one of ${ORG_KINDS.join(', ')}`)
  if (names.length === 0 || scopes.size !== names.length) return unusable(`--scopes is one or more of ${SCOPES.join(',')}`)
  const { env } = readConfig(process.env)
  const made = await withApiKeys((apiKeys) =>
    createApiKey(apiKeys, { org: org.trim(), kind, scopes, env, nowMs: Date.now() }),
  )
  print(made)
  return 0
}

async function list(): Promise<number> {
  const rows = await withApiKeys(async (apiKeys) => {
    const all = await apiKeys.all()
    return Promise.all(
      all.map(async ({ keyId, orgId, scopes, createdAtMs }) => {
        const org = await apiKeys.org(orgId)
        return {
          keyId,
          org: org?.name,
          kind: org?.kind,
          scopes: scopesText(scopes),
          createdAt: new Date(createdAtMs).toISOString(),
        }
      }),
    )
  })
  for (const row of rows) print(row)
  return 0
}

async function revoke(args: readonly string[]): Promise<number> {
  const [keyId] = args
  if (keyId === undefined) return unusable('tabir keys revoke KEYID')
  const revision = await withApiKeys((apiKeys) => apiKeys.revoke(keyId, Date.now()))
  if (revision === undefined) return unusable('There is no such key.')
  print({ keyId, revoked: true })
  return 0
}

function optionsOf(args: string[]) {
  const { values } = parseArgs({
    args,
    options: { org: { type: 'string' }, kind: { type: 'string' }, scopes: { type: 'string' } },
  })
  return values
}

/** Uses the running service's Redis, or starts the one of the data folder for the moment. */
async function withApiKeys<T>(use: (apiKeys: ApiKeys) => Promise<T>): Promise<T> {
  const server = await openRedisServer(readConfig(process.env))
  try {
    const store = await openStore({ url: server.url, socket: server.socket })
    try {
      return await use(apiKeysIn(store))
    } finally {
      await store.close()
    }
  } finally {
    await server.stop()
  }
}

function scopesText(scopes: ReadonlySet<Scope>): string {
  return [...scopes].join(',')
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

function unusable(why: string): number {
  process.stderr.write(`${why}\n`)
  return 2
}

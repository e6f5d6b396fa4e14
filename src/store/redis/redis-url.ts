// The address of a Redis: one server, a master that Sentinels know, or a Cluster; and how many copies a write waits for.

export interface RedisPlace {
  /** How the client library takes it: an address; Sentinels and the name of their master; or some nodes of a Cluster. */
  readonly address:
    | { readonly kind: 'server'; readonly url: string }
    | ({ readonly kind: 'sentinel'; readonly sentinels: readonly Place[]; readonly name: string } & Credentials)
    | ({ readonly kind: 'cluster'; readonly seeds: readonly Place[] } & Credentials)
  /** A write counts when so many replicas, besides the master, have it on disk. */
  readonly replicas: number
}

interface Place {
  readonly host: string
  readonly port: number
}

interface Credentials {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly isTls: boolean
}

const DEFAULT_PORTS = { sentinel: 26_379, cluster: 6379 } as const
const MANY = /^redis(s?)\+(sentinel|cluster):\/\/(?:([^:@/]*):([^@/]*)@)?([^/?]+)(?:\/([\w.-]+))?(?:\?(.*))?$/
const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/

/**
 * `redis://` and `rediss://` as everywhere; `redis+sentinel://[user]:[password]@host:port,host:port/master-name` for Sentinels, and
 * `rediss+sentinel://` where they and the servers speak TLS; `redis+cluster://[user]:[password]@host:port,host:port` for some nodes of a
 * Cluster. Each may end in `?replicas=N`.
 *
 * @throws {Error} without repeating the address: there may be a password in it.
 */
export function parseRedisUrl(url: string): RedisPlace {
  if (!/^rediss?\+(sentinel|cluster):/.test(url)) {
    const parsed = new URL(url)
    const replicas = replicasIn(parsed.searchParams)
    parsed.searchParams.delete('replicas')
    return { address: { kind: 'server', url: parsed.href }, replicas }
  }
  const [, tls, kind, username, password, hosts, name, search] = MANY.exec(url) ?? []
  const isSentinel = kind === 'sentinel'
  if (hosts === undefined || isSentinel !== (name !== undefined)) throw new Error(WRONG)
  const places = hosts.split(',').map((host) => placeAt(host, DEFAULT_PORTS[isSentinel ? 'sentinel' : 'cluster']))
  const credentials = { username: written(username), password: written(password), isTls: tls === 's' }
  return {
    address:
      name === undefined
        ? { kind: 'cluster', seeds: places, ...credentials }
        : { kind: 'sentinel', sentinels: places, name, ...credentials },
    replicas: replicasIn(new URLSearchParams(search)),
  }
}

/** An address without user, password and options, to be shown. Not even what cannot be read is: there may be a password in it. */
export function shownRedisUrl(url: string): string {
  const [, start, rest] = /^(rediss?(?:\+\w+)?:\/\/)(.*)$/.exec(url) ?? []
  if (start === undefined || rest === undefined) return 'REDIS_URL'
  return start + rest.slice(rest.lastIndexOf('@') + 1).replace(/\?.*/, '')
}

const WRONG =
  'REDIS_URL has the form redis+sentinel://:password@host:26379,host:26379/master-name for Sentinels, redis+cluster://:password@host:6379,host:6379 for a Cluster'

function written(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : decodeURIComponent(text)
}

function placeAt(text: string, defaultPort: number): Place {
  const [, v6, named, port] = HOST.exec(text) ?? []
  const host = v6 ?? named
  if (host === undefined) throw new Error(WRONG)
  return { host, port: port === undefined ? defaultPort : Number(port) }
}

function replicasIn(search: URLSearchParams): number {
  const text = search.get('replicas') ?? '0'
  if (!/^\d$/.test(text)) throw new Error('replicas in REDIS_URL must be a whole number from 0 to 9')
  return Number(text)
}

// Parses REDIS_URL: one server, or Sentinels and the name of their master; and the number of replicas that a write waits for.

export interface RedisPlace {
  /** One server, or Sentinels and the name of their master. */
  readonly address:
    | { readonly kind: 'server'; readonly url: string }
    | ({ readonly kind: 'sentinel'; readonly sentinels: readonly Place[]; readonly name: string } & Credentials)
  /** A write is acknowledged when this many replicas, besides the master, have it on disk. */
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

const SENTINEL_PORT = 26_379
const SENTINELS = /^redis(s?)\+sentinel:\/\/(?:([^:@/]*):([^@/]*)@)?([^/?]+)\/([\w.-]+)(?:\?(.*))?$/
const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/

/**
 * Parses `redis://…` and `rediss://…` (TLS) for one server, `redis+sentinel://[user]:[password]@host:port,host:port/master-name` for Sentinels
 * and `rediss+sentinel://…` for Sentinels and servers with TLS. Each may end in `?replicas=N`, N from 0 to 9.
 *
 * @throws {Error} that does not quote the address: it may contain a password.
 */
export function parseRedisUrl(url: string): RedisPlace {
  if (!/^rediss?\+/.test(url)) {
    const parsed = new URL(url)
    const replicas = replicasIn(parsed.searchParams)
    parsed.searchParams.delete('replicas')
    if (!/^\/?\d*$/.test(parsed.pathname))
      throw new Error('REDIS_URL may end in the number of a database, such as /5, and in nothing else')
    return { address: { kind: 'server', url: parsed.href }, replicas }
  }
  const [, tls, username, password, hosts, name, search] = SENTINELS.exec(url) ?? []
  if (hosts === undefined || name === undefined) throw new Error(WRONG)
  return {
    address: {
      kind: 'sentinel',
      sentinels: hosts.split(',').map(placeAt),
      name,
      username: written(username),
      password: written(password),
      isTls: tls === 's',
    },
    replicas: replicasIn(new URLSearchParams(search)),
  }
}

/** The address without user, password and options, for display. `REDIS_URL` for one that cannot be parsed: it may contain a password. */
export function shownRedisUrl(url: string): string {
  const [, start, rest] = /^(rediss?(?:\+\w+)?:\/\/)(.*)$/.exec(url) ?? []
  if (start === undefined || rest === undefined) return 'REDIS_URL'
  return start + rest.slice(rest.lastIndexOf('@') + 1).replace(/\?.*/, '')
}

const WRONG = 'REDIS_URL has the form redis+sentinel://:password@host:26379,host:26379/master-name for Sentinels'

function written(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : decodeURIComponent(text)
}

function placeAt(text: string): Place {
  const [, v6, named, port] = HOST.exec(text) ?? []
  const host = v6 ?? named
  if (host === undefined) throw new Error(WRONG)
  return { host, port: port === undefined ? SENTINEL_PORT : Number(port) }
}

function replicasIn(search: URLSearchParams): number {
  const text = search.get('replicas') ?? '0'
  if (!/^\d$/.test(text)) throw new Error('replicas in REDIS_URL must be a whole number from 0 to 9')
  return Number(text)
}

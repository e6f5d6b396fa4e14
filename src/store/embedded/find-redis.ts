// Which redis-server or valkey-server of this machine to run.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'

export interface FindRedisOptions {
  /** The operator's own choice. When it is given, nothing else is tried. */
  readonly redisServerBin?: string | undefined
  /** Folders as in PATH. */
  readonly searchPath: string
  /** Whether a server that came with `npm install` will do. */
  readonly npmRedis: 'on' | 'off'
  readonly usualFolders?: readonly string[]
}

export interface FoundRedis {
  readonly binary: string
  readonly kind: 'Redis' | 'Valkey'
  readonly version: string
  readonly from: 'setting' | 'path' | 'usual-folder' | 'npm'
}

/** What to tell an operator who has no Redis at all. */
export const HOW_TO_INSTALL = [
  'No Redis server was found. Install one, then start again:',
  '',
  '  Debian, Ubuntu   sudo apt-get install -y redis-server     (or valkey-server)',
  '  Fedora, RHEL     sudo dnf install -y valkey',
  '  Alpine           sudo apk add valkey',
  '  macOS            brew install redis                       (or valkey)',
  '  Docker           docker run -d --name tabir-redis -p 127.0.0.1:6379:6379 -v tabir-redis:/data redis:8 \\',
  '                     redis-server --appendonly yes --appendfsync always --maxmemory-policy noeviction \\',
  '                     --hash-max-listpack-entries 2048 --hash-max-listpack-value 2048 --stream-node-max-bytes 512',
  '                   and set REDIS_URL=redis://127.0.0.1:6379',
  '',
  'or name one: REDIS_URL or REDIS_SOCKET for a server that runs, TABIR_REDIS_BIN for a program to run.',
].join('\n')

const PROGRAMS = ['redis-server', 'valkey-server']
const USUAL_FOLDERS = [
  '/usr/bin',
  '/usr/local/bin',
  '/usr/sbin',
  '/opt/homebrew/bin',
  '/usr/local/opt/redis/bin',
  '/home/linuxbrew/.linuxbrew/bin',
]
const NPM_PACKAGE = '@falkordblite/linux-x64'
/** The oldest that BullMQ recommends. */
const OLDEST = { major: 6, minor: 2 }

/**
 * Finds a Redis server that runs here, in the order: the operator's choice, PATH, the usual folders, the npm package.
 *
 * The npm binary comes last: a distribution's server gets security fixes by itself. Each candidate is asked for its
 * version, which also proves that it can run here: a wrong architecture or C library fails right there.
 *
 * @returns `undefined` when there is none.
 * @throws {Error} when the operator's choice does not run, or when every server found is too old.
 */
export function findRedisServer(options: FindRedisOptions): FoundRedis | undefined {
  if (options.redisServerBin !== undefined) {
    const server = versionOf(options.redisServerBin)
    if (server === undefined) throw new Error('TABIR_REDIS_BIN does not name a Redis server that runs here.')
    if (isTooOld(server.version)) throw new Error(`TABIR_REDIS_BIN names version ${server.version}. ${NEEDED}`)
    return { binary: options.redisServerBin, ...server, from: 'setting' }
  }
  const tooOld: string[] = []
  for (const { binary, from } of candidates(options)) {
    const server = versionOf(binary)
    if (server === undefined) continue
    if (!isTooOld(server.version)) return { binary, ...server, from }
    tooOld.push(server.version)
  }
  if (tooOld.length > 0) throw new Error(`The Redis server found here is version ${tooOld[0]}. ${NEEDED}`)
  return undefined
}

const NEEDED = `Version ${OLDEST.major}.${OLDEST.minor} or later is needed.`

function* candidates({ searchPath, npmRedis, usualFolders = USUAL_FOLDERS }: FindRedisOptions) {
  const pathFolders = searchPath.split(delimiter).filter((folder) => folder !== '')
  for (const folder of pathFolders) for (const name of PROGRAMS) yield { binary: join(folder, name), from: 'path' as const }
  for (const folder of usualFolders)
    for (const name of PROGRAMS) yield { binary: join(folder, name), from: 'usual-folder' as const }
  const npmBinary = npmRedis === 'on' ? findNpmBinary() : undefined
  if (npmBinary !== undefined) yield { binary: npmBinary, from: 'npm' as const }
}

function findNpmBinary(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${NPM_PACKAGE}/package.json`)
    return join(dirname(manifest), 'bin', 'redis-server')
  } catch {
    return undefined // optional: not installed on other systems
  }
}

function versionOf(binary: string): Pick<FoundRedis, 'kind' | 'version'> | undefined {
  if (!existsSync(binary)) return undefined
  const { status, stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8', timeout: 5000, env: { LC_ALL: 'C' } })
  const version = status === 0 ? /\bv=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined
  return version === undefined ? undefined : { kind: stdout.startsWith('Valkey') ? 'Valkey' : 'Redis', version }
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)
}

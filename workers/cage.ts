// What a child that decodes cannot reach, beyond its limits: as much as this system gives without privileges.
//
// Each layer is the kernel's or Node's, and holds for a process that an attacker's code runs in, with one exception that is said:
// Node's own permissions stop JavaScript, not native code.

import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Cage {
  /** The kernel's part of it: the command that runs another one inside. */
  readonly inside: (command: readonly string[]) => readonly string[]
  /** Node's part of it. */
  readonly nodeFlags: readonly string[]
}

export interface CageOptions {
  /** Folders and files that the child has to read: Node allows these alone. */
  readonly readable: readonly string[]
  /** Folders that it must not even see; those that hold something readable stay. */
  readonly hidden: readonly string[]
}

/** For systems that give nothing, and for tests of what holds without. */
export const NO_CAGE: Cage = { inside: (command) => command, nodeFlags: [] }

/** Where nothing lies that decodes, and much that is somebody's. */
const USUALLY_HIDDEN = ['/tmp', '/var', '/run', '/home', '/root', '/srv', '/mnt', '/media', '/dev/shm']
const PROBE_WITHIN_MS = 5000

/**
 * The best cage that holds here, found by trying: containers and distributions differ in what they let an ordinary process do.
 *
 * - `unshare`: namespaces of its own for users, mounts, network and more. There is no network, not even loopback; the file system is
 *   read-only, the hidden folders are empty; memory and environment of other processes cannot be read.
 * - `setpriv`: no capability is left, and none can be had by running another program.
 *
 * Cost: some 0.1 s, once.
 */
export function findCage(options: CageOptions): Cage {
  const nodeFlags = permissionFlags(options.readable)
  const insides = process.platform === 'linux' ? ways(options) : []
  const inside = insides.find(holds) ?? NO_CAGE.inside
  return { inside, nodeFlags }
}

/** What the real child reads: its own program, and the packages that it decodes with. */
export function ownFiles(): string[] {
  const dist = fileURLToPath(new URL('..', import.meta.url))
  const decoder = fileURLToPath(import.meta.resolve('sharp'))
  const packages = decoder.slice(0, decoder.lastIndexOf(`${sep}node_modules${sep}`) + `${sep}node_modules`.length)
  return [dist, packages, join(dist, '..', 'package.json')]
}

type Inside = Cage['inside']

/** The best first. */
function ways({ readable, hidden }: CageOptions): Inside[] {
  const [unshare, setpriv, mount] = ['unshare', 'setpriv', 'mount'].map(pathOf)
  const found: Inside[] = []
  if (unshare !== undefined && setpriv !== undefined && mount !== undefined) {
    const places = hideable([...hidden, ...USUALLY_HIDDEN], [...readable, process.execPath])
    const alone = [unshare, '--user', '--map-root-user', '--mount', '--net', '--ipc', '--uts', '--']
    // Root in there is nobody outside, and gives up even that.
    found.push((command) => [...alone, '/bin/sh', '-c', HIDE, mount, ...places, '--', ...bare(setpriv), ...command])
  }
  if (unshare !== undefined && setpriv !== undefined) {
    found.push((command) => [
      unshare,
      '--user',
      '--net',
      '--ipc',
      '--uts',
      '--',
      setpriv,
      '--no-new-privs',
      '--',
      ...command,
    ])
  }
  if (setpriv !== undefined) {
    found.push((command) => [...bare(setpriv), ...command])
    found.push((command) => [setpriv, '--no-new-privs', '--', ...command])
  }
  return found
}

/** $0 is mount; then folders to hide, `--`, and what to run. */
const HIDE = `
  "$0" -o remount,bind,ro / || exit 1
  while [ "$1" != -- ]; do "$0" -t tmpfs -o ro,size=4k,mode=0 tmpfs "$1" || exit 1; shift; done
  shift
  exec "$@"`

function bare(setpriv: string): string[] {
  return [setpriv, '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--']
}

function holds(inside: Inside): boolean {
  const [program = '', ...args] = inside([process.execPath, '--version'])
  return spawnSync(program, args, { stdio: 'ignore', env: {}, timeout: PROBE_WITHIN_MS, cwd: '/' }).status === 0
}

/** Those that are there, once each, and hold nothing that is needed. */
function hideable(places: readonly string[], needed: readonly string[]): string[] {
  const needs = needed.flatMap(realPath)
  const found: string[] = []
  for (const place of places.flatMap(realPath).sort()) {
    const isNeeded = needs.some((need) => isWithin(need, place))
    const isHidden = found.some((other) => isWithin(place, other))
    if (!isNeeded && !isHidden) found.push(place)
  }
  return found
}

function realPath(path: string): string[] {
  return existsSync(path) ? [realpathSync(path)] : []
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
}

function pathOf(program: string): string | undefined {
  return ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].map((folder) => join(folder, program)).find((path) => existsSync(path))
}

/** No file is written, none but these is read, no process and no thread started. `--allow-addons`: the decoder is native code. */
function permissionFlags(readable: readonly string[]): string[] {
  const known = process.allowedNodeEnvironmentFlags
  const permission = ['--permission', '--experimental-permission'].find((flag) => known.has(flag))
  const noInspector = known.has('--disable-sigusr1') ? ['--disable-sigusr1'] : []
  if (permission === undefined || !known.has('--allow-addons')) return noInspector
  const reads = [...readable.flatMap(realPath), ...OWN_STATE].map(
    (path) => `--allow-fs-read=${isFile(path) ? path : join(path, '*')}`,
  )
  return [permission, '--allow-addons', ...reads, ...noInspector]
}

/** What a child looks at to say what holds for it. */
const OWN_STATE = ['/proc/self/status', '/proc/self/limits']

function isFile(path: string): boolean {
  return OWN_STATE.includes(path) || /\.(js|mjs|json)$/.test(path)
}

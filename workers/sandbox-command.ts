// What a child that decodes cannot reach, beyond its limits: as much as this system gives without privileges.
//
// Each layer is the kernel's or Node's, and holds for a process that an attacker's code runs in, with one exception that is said:
// Node's own permissions stop JavaScript, not native code.

import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IsolationLayer } from '../src/domain/isolation-layers.js'
import { PROOF_ENTRY, proofArgs, reachedNothing } from './sandbox-proof.js'

export interface SandboxCommand {
  /** The kernel's part of it: the command that runs another one inside. */
  readonly inside: (command: readonly string[]) => readonly string[]
  /** Node's part of it. */
  readonly nodeFlags: readonly string[]
  /** What this process tried from inside, and found to hold; a child sees the rest of it itself. */
  readonly proven: readonly IsolationLayer[]
}

export interface SandboxCommandOptions {
  /** Folders and files that the child has to read. Beside the system's libraries, nothing else is there. */
  readonly readable: readonly string[]
  /** Folders and files that it must not reach, also where they lie in a folder that it reads; some may not be there yet. */
  readonly hidden: readonly string[]
}

/** For systems that give nothing, and for tests of what holds without. */
export const NO_SANDBOX: SandboxCommand = { inside: (command) => command, nodeFlags: [], proven: [] }

/** Where libraries are that Node and the decoders are linked with. */
const LIBRARIES = [
  ...['/lib', '/lib32', '/lib64', '/usr/lib', '/usr/lib32', '/usr/lib64', '/usr/local/lib', '/nix/store', '/gnu/store'],
  ...['/etc/ld.so.cache', '/etc/ld-musl-x86_64.path', '/etc/ld-musl-aarch64.path', '/dev/null', '/dev/urandom'],
]
const PROBE_TIMEOUT_MS = 20_000

/**
 * The best cage that holds here, found by trying: containers and distributions differ in what they let an ordinary process do.
 *
 * - `unshare`: namespaces of its own for users, mounts, processes, network and more. There is no network, not even loopback; of the
 *   file system there are the system's libraries and what is readable, all mounts read-only; other processes cannot be named.
 * - `setpriv`: no capability is left, and none can be had by running another program.
 *
 * Cost: some 0.3 s, once.
 */
export function findSandboxCommand(options: SandboxCommandOptions): SandboxCommand {
  const nodeFlags = permissionFlags(options.readable)
  for (const inside of process.platform === 'linux' ? layersOf(options) : []) {
    const proof = proofOf(inside, options.hidden)
    if (proof !== undefined) return { inside, nodeFlags, proven: proof }
  }
  return { ...NO_SANDBOX, nodeFlags }
}

/** What the real child reads: its own program, and the packages that it decodes with. */
export function ownFiles(): string[] {
  const dist = fileURLToPath(new URL('..', import.meta.url))
  const decoder = fileURLToPath(import.meta.resolve('sharp'))
  const packages = decoder.slice(0, decoder.lastIndexOf(`${sep}node_modules${sep}`) + `${sep}node_modules`.length)
  return [dist, packages, join(dist, '..', 'package.json')]
}

type Inside = SandboxCommand['inside']

/** The best first. */
function layersOf({ readable, hidden }: SandboxCommandOptions): Inside[] {
  const [unshare, setpriv, mount, pivotRoot] = ['unshare', 'setpriv', 'mount', 'pivot_root'].map(pathOf)
  const found: Inside[] = []
  if (unshare !== undefined && setpriv !== undefined && mount !== undefined && pivotRoot !== undefined) {
    const own = [
      unshare,
      '--user',
      '--map-root-user',
      '--mount',
      '--pid',
      '--net',
      '--ipc',
      '--uts',
      '--fork',
      '--kill-child',
    ]
    const needed = [...readable, process.execPath, ...ownFiles(), setpriv].flatMap((path) => [path, ...realPath(path)])
    const places = outermost([...LIBRARIES, ...needed].filter((path) => existsSync(path)))
    const covered = hidden.flatMap(realPath).flatMap((secret) => places.flatMap((place) => seenIn(place, secret)))
    const script = ['--', '/bin/sh', '-c', NEW_ROOT, 'sh', ...places, '--', ...covered, '--']
    // Root in there is nobody outside, and gives up even that.
    found.push((command) => [...own, ...script, ...bare(setpriv), ...command])
  }
  if (unshare !== undefined && setpriv !== undefined) {
    const own = [unshare, '--user', '--net', '--ipc', '--uts', '--']
    found.push((command) => [...own, setpriv, '--no-new-privs', '--', ...command])
  }
  if (setpriv !== undefined) {
    found.push((command) => [...bare(setpriv), ...command])
    found.push((command) => [setpriv, '--no-new-privs', '--', ...command])
  }
  return found
}

/**
 * Arguments: what is shown, `--`, what of it is covered, `--`, and what to run.
 *
 * The first process of the namespace waits, because signals that a first process sends to itself are lost: it ends with 128 and the signal of
 * the one that decodes. That one gets a root of its own with what is shown, and of /proc what is its own: with all of it, code that runs as
 * root writes to /proc/sys, and any code to `oom_score_adj` of processes of the same user. Nothing is ever written to what is shown: a file
 * that is there already is left as it is; no byte is written at all, which the limits of a child forbid. Mounts of a submount are read-only only if each is made so; flags that are locked have to stay.
 */
const NEW_ROOT = `
  (
    set -e
    path=$PATH
    PATH=/usr/sbin:/usr/bin:/sbin:/bin
    read -r pid _ < /proc/self/stat
    echo 0 > /proc/sys/user/max_user_namespaces || :
    mount -t tmpfs -o size=1m,mode=755,nosuid,nodev tmpfs /sys
    cd /sys
    while [ "$1" != -- ]; do
      if [ -d "$1" ]; then mkdir -p ".$1"; else mkdir -p ".\${1%/*}"; [ -e ".$1" ] || : > ".$1"; fi
      mount --rbind "$1" ".$1"
      shift
    done
    shift
    : > none; chmod 0 none
    while [ "$1" != -- ]; do
      if [ -d ".$1" ]; then mount -t tmpfs -o ro,size=4k,mode=0 tmpfs ".$1"; else mount --bind none ".$1"; fi
      shift
    done
    shift
    mkdir -p old proc/self
    ln -s self/net proc/net
    mount --rbind "/proc/$pid" proc/self
    pivot_root . old
    cd /
    PATH=/old/usr/sbin:/old/usr/bin:/old/sbin:/old/bin
    cat /proc/self/mountinfo | while read -r _ _ _ _ at flags _; do
      case $at in
        /old | /old/*) ;;
        *) mount -o "remount,bind,ro,\${flags#*,}" "$(printf %b "$(printf %s "$at" | sed 's/\\\\/\\\\0/g')")" ;;
      esac
    done
    umount -l /old
    PATH=$path
    exec "$@"
  )
  exit $?`

function bare(setpriv: string): string[] {
  return [setpriv, '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--']
}

/** @returns what was proven inside; `undefined` when nothing runs there, or the decoders do not load. */
function proofOf(inside: Inside, hidden: readonly string[]): IsolationLayer[] | undefined {
  const limits = ['-c', 'ulimit -c 0; ulimit -f 0; exec "$@"', 'sh'] // as a child has them
  const command = inside([process.execPath, PROOF_ENTRY, ...proofArgs(hidden)])
  const options = { env: {}, timeout: PROBE_TIMEOUT_MS, cwd: '/', encoding: 'utf8' } as const
  const { status, stdout } = spawnSync('/bin/sh', [...limits, ...command], options)
  if (status !== 0) return undefined
  return reachedNothing(stdout) ? ['no-secret-files'] : []
}

/** Once each, without those that lie in another. */
function outermost(places: readonly string[]): string[] {
  const found: string[] = []
  for (const place of [...places].sort()) if (!found.some((other) => isWithin(place, other))) found.push(place)
  return found
}

/** Under which name a folder that is shown, perhaps by another name of its own, would show this path. */
function seenIn(place: string, path: string): string[] {
  const [real = place] = realPath(place)
  return isWithin(path, real) ? [place + path.slice(real.length)] : []
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
const OWN_STATE = ['/proc/self/status', '/proc/self/limits', '/proc/self/mountinfo']

function isFile(path: string): boolean {
  return OWN_STATE.includes(path) || /\.(js|mjs|json)$/.test(path)
}

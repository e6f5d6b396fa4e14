// The command that starts a decoding child in a sandbox: as much isolation as this system gives without privileges, beyond the child's limits.
//
// Each layer is enforced by the kernel or by Node, and holds also when an attacker's code runs in the process. The one exception: Node's
// permissions stop JavaScript, not native code.

import { existsSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IsolationLayer } from '../src/domain/isolation-layers.js'
import { runToEnd } from './limits/run-to-end.js'
import { findThreadLimit, MAX_THREADS, SET_PID_MAX, type ThreadLimit } from './limits/thread-limit.js'
import { PROOF_ENTRY, proofArgs, shownBy } from './sandbox-proof.js'

export interface SandboxCommand {
  /** The kernel's part: wraps a command so that it runs isolated. */
  readonly inside: (command: readonly string[]) => readonly string[]
  /** Node's part: command-line flags. */
  readonly nodeFlags: readonly string[]
  /** Layers that were proven by trying from inside. A child reports the other layers itself. */
  readonly proven: readonly IsolationLayer[]
}

export interface SandboxCommandOptions {
  /** Folders and files that the child has to read. Nothing else of the file system is visible, apart from the system's libraries. */
  readonly readable: readonly string[]
  /** Folders and files that it must not reach, also inside a readable folder. They need not exist yet. */
  readonly hidden: readonly string[]
  /** Whether it may start other processes: for tests, which try with shell programs what the other layers hold against. */
  readonly mayFork?: boolean
}

/** No isolation: for systems that offer none, and for tests of what holds without it. */
export const NO_SANDBOX: SandboxCommand = { inside: (command) => command, nodeFlags: [], proven: [] }

/** Folders of libraries that Node and the decoders are linked with. */
const LIBRARIES = [
  ...['/lib', '/lib32', '/lib64', '/usr/lib', '/usr/lib32', '/usr/lib64', '/usr/local/lib', '/nix/store', '/gnu/store'],
  ...['/etc/ld.so.cache', '/etc/ld-musl-x86_64.path', '/etc/ld-musl-aarch64.path', '/dev/null', '/dev/urandom'],
]

/**
 * The best sandbox that works here, found by trying: containers and distributions differ in what they allow an ordinary process.
 *
 * - `unshare`: its own namespaces for users, mounts, processes, network and more. There is no network, not even loopback. The file system
 *   contains only the system's libraries and the readable paths, mounted read-only. Other processes are invisible.
 * - `setpriv`: no capability is left, and running another program grants none. Where it can load a filter of system calls, the child starts no
 *   other process.
 * - `prlimit`, or a limit of the PID namespace: the child has few threads.
 *
 * @throws {Error} when a try does not end in time. A weaker sandbox is no answer to an overloaded machine.
 * Cost: some 0.3 s, once.
 */
export function findSandboxCommand(options: SandboxCommandOptions): SandboxCommand {
  const nodeFlags = permissionFlags(options.readable)
  for (const { inside, limits } of process.platform === 'linux' ? layersOf(options) : []) {
    const proof = proofOf(inside, options.hidden)
    if (proof !== undefined) return { inside, nodeFlags, proven: [...proof, ...limits] }
  }
  return { ...NO_SANDBOX, nodeFlags }
}

/** What the real child reads: its own program, and the packages of the decoders. */
export function ownFiles(): string[] {
  const dist = fileURLToPath(new URL('..', import.meta.url))
  const decoder = fileURLToPath(import.meta.resolve('sharp'))
  const packages = decoder.slice(0, decoder.lastIndexOf(`${sep}node_modules${sep}`) + `${sep}node_modules`.length)
  return [dist, packages, join(dist, '..', 'package.json')]
}

type Inside = SandboxCommand['inside']

interface Candidate {
  readonly inside: Inside
  /** Layers that were tried before. */
  readonly limits: readonly IsolationLayer[]
}

const FILTER = fileURLToPath(new URL(`./limits/decoder-${process.arch}.bpf`, import.meta.url))

/** Candidates, the best first. */
function layersOf({ readable, hidden, mayFork = false }: SandboxCommandOptions): Candidate[] {
  const [unshare, setpriv, mount, pivotRoot, prlimit] = ['unshare', 'setpriv', 'mount', 'pivot_root', 'prlimit'].map(pathOf)
  if (setpriv === undefined) return []
  // Older versions of `setpriv` load no filter, and a filter is for one kind of processor.
  const filters = mayFork || !existsSync(FILTER) ? [[]] : [['--seccomp-filter', FILTER], []]
  const threads = unshare === undefined ? undefined : findThreadLimit(unshare, prlimit)
  const found: Candidate[] = []
  if (unshare !== undefined && mount !== undefined && pivotRoot !== undefined) {
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
    const script = ['/bin/sh', '-c', NEW_ROOT, 'sh', ...places, '--', ...covered, '--']
    const { limited, limits } = fewThreads(threads, prlimit)
    // Root inside is an unprivileged user outside, and drops even its inner capabilities.
    for (const filter of filters)
      found.push({
        inside: (command) => [...own, '--', ...limited, ...script, ...bare(setpriv, filter), ...command],
        limits,
      })
  }
  if (unshare !== undefined) {
    const own = [unshare, '--user', '--net', '--ipc', '--uts', '--']
    const { limited, limits } = fewThreads(threads === 'nproc' ? threads : undefined, prlimit)
    for (const filter of filters)
      found.push({
        inside: (command) => [...own, ...limited, setpriv, '--no-new-privs', ...filter, '--', ...command],
        limits,
      })
  }
  for (const filter of filters) {
    found.push({ inside: (command) => [...bare(setpriv, filter), ...command], limits: [] })
    found.push({ inside: (command) => [setpriv, '--no-new-privs', ...filter, '--', ...command], limits: [] })
  }
  return found
}

/** The start of a command that runs the rest of it with few threads, inside its namespaces. */
function fewThreads(limit: ThreadLimit | undefined, prlimit = 'prlimit') {
  const limits: readonly IsolationLayer[] = limit === undefined ? [] : ['few-threads']
  if (limit === 'nproc') return { limited: [prlimit, `--nproc=${MAX_THREADS.nproc}`, '--'], limits }
  if (limit === 'pid_max') return { limited: ['/bin/sh', '-c', SET_PID_MAX, 'sh'], limits }
  return { limited: [], limits }
}

/**
 * Arguments: visible paths, `--`, paths among them that are covered, `--`, and the command to run.
 *
 * The first process of a PID namespace waits, because signals that it sends to itself are lost. It exits with 128 + the signal of the decoding
 * process. The decoding process gets its own root with the visible paths, and of /proc only its own folder: with all of /proc, code that runs as
 * root could write to /proc/sys, and any code to `oom_score_adj` of processes of the same user. Nothing is ever written to visible paths: an
 * existing file is left as it is, and the child's limits forbid writing any byte. A submount becomes read-only only if it is remounted itself;
 * its locked flags have to be kept.
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

function bare(setpriv: string, filter: readonly string[]): string[] {
  return [setpriv, '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', ...filter, '--']
}

/** @returns what was proven inside; `undefined` when the command does not run there, or the decoders do not load. */
function proofOf(inside: Inside, hidden: readonly string[]): IsolationLayer[] | undefined {
  const limits = ['-c', 'ulimit -c 0; ulimit -f 0; exec "$@"', 'sh'] // the limits of a child
  const command = inside([process.execPath, PROOF_ENTRY, ...proofArgs(hidden)])
  const { status, stdout } = runToEnd('/bin/sh', [...limits, ...command], { env: {}, cwd: '/' })
  if (status !== 0) return undefined
  return shownBy(stdout)
}

/** Each path once, without paths inside another. */
function outermost(places: readonly string[]): string[] {
  const found: string[] = []
  for (const place of [...places].sort()) if (!found.some((other) => isWithin(place, other))) found.push(place)
  return found
}

/** The path under which a visible folder, possibly a symbolic link, would show `path`; empty when it does not. */
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

/** Flags that forbid writing files, reading others than these, and starting processes or threads. `--allow-addons`: the decoder is native code. */
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

/** What a child reads to report which layers hold for it. */
const OWN_STATE = ['/proc/self/status', '/proc/self/limits', '/proc/self/mountinfo']

function isFile(path: string): boolean {
  return OWN_STATE.includes(path) || /\.(js|mjs|json)$/.test(path)
}

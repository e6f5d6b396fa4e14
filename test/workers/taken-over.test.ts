// A compromised decoder: native code in the sandbox of the real ones tries what an attacker could gain by.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { ISOLATION_LAYERS } from '../../src/domain/isolation-layers.js'
import { MAX_THREADS } from '../../workers/limits/thread-limit.js'
import { findSandboxCommand, ownFiles, type SandboxCommand } from '../../workers/sandbox-command.js'
import { spawnSandboxed } from '../../workers/sandboxed.js'
import { childrenOf } from '../helpers/processes.js'
import { startRedis } from '../helpers/redis.js'
import { hasFilters, hasNamespaces, layersHere, openObedient, program } from '../helpers/sandbox.js'
import { until } from '../helpers/service.js'
import { startWorkers } from '../helpers/workers.js'

const DIST = fileURLToPath(new URL('../..', import.meta.url))
const SANDBOX = pathToFileURL(join(DIST, 'workers', 'sandbox-command.js')).href
const TOOLS = ['/usr/bin', '/bin'].filter((path) => existsSync(path))

/** An action that is allowed, as proof that the others were tried. */
const CONTROL = 'run a program on its own files'

/** Each is a shell program that succeeds if its action worked. $1 is the folder of the secrets, $2 another process. */
const DEEDS = {
  [CONTROL]: 'cat /proc/self/status',
  'read the seal keys': 'cat "$1/data/seal-keys"',
  'read the seal keys through another process': 'cat "/proc/$2/root$1/data/seal-keys"',
  'list the snapshots': 'test -n "$(ls "$1/data/snapshots")"',
  'read a key file that lies elsewhere': 'cat "$1/own/key"',
  'list the withdrawals': 'test -n "$(ls "$1/mount/withdrawals")"',
  'empty a file on another mount': 'truncate -s 0 "$1/mount/withdrawals/log"',
  'rename a file on another mount': 'mv "$1/mount/withdrawals/log" "$1/mount/withdrawals/moved"',
  'remove a file on another mount': 'rm "$1/mount/withdrawals/moved"',
  'make a file on another mount': 'mkdir "$1/mount/made"',
  'see another process': 'test -e "/proc/$2"',
  'have another process killed first when memory is short': 'echo 900 > "/proc/$2/oom_score_adj"',
  'limit another process': 'prlimit --pid "$2" --nofile=99:99',
  'set the program that takes core dumps': ': >> /proc/sys/kernel/core_pattern',
  'make a namespace in which it is root': 'unshare --user --map-root-user true',
  'end another process': 'kill -TERM "$2"',
} as const

/**
 * Runs in its own process so that it may mount: builds the sandbox as a worker does, and runs each action inside it or
 * without it.
 */
const PROBE = `
import { spawn, spawnSync } from 'node:child_process'
const { findSandboxCommand, NO_SANDBOX, ownFiles } = await import(${JSON.stringify(SANDBOX)})
const [place, deeds] = [process.argv[1], JSON.parse(process.argv[2])]
const hidden = ['data', 'own/key', 'mount/withdrawals'].map((path) => place + '/' + path)
const cage = process.argv[3] === 'caged' ? findSandboxCommand({ readable: [...ownFiles(), ...${JSON.stringify(TOOLS)}], hidden, mayFork: true }) : NO_SANDBOX
const other = spawn('/bin/sleep', ['60'])
const script = Object.entries(deeds).map(([name, deed]) => '(' + deed + ') > /dev/null 2>&1 && echo "' + name + '"')
const [command, ...args] = cage.inside(['/bin/sh', '-c', script.join('\\n'), 'sh', place, String(other.pid)])
const { stdout } = spawnSync(command, args, { env: { PATH: '/usr/bin:/bin' }, cwd: '/', encoding: 'utf8' })
other.kill('SIGKILL')
const done = stdout.trim().split('\\n')
process.stdout.write(JSON.stringify({ done, proven: cage.proven }))
`
const SECRETS = `
  mkdir -p "$0/data/snapshots" "$0/own" "$0/mount"
  mount -t tmpfs tmpfs "$0/mount"
  mkdir "$0/mount/withdrawals"
  for file in data/seal-keys data/snapshots/index own/key mount/withdrawals/log; do echo secret > "$0/$file"; done
  exec "$@"`

interface Tried {
  readonly done: readonly string[]
  readonly proven?: readonly string[]
}

/** In a folder that decoders read, so that covering the usual folders would hide nothing. */
function tryAll(
  place: string,
  deeds: Readonly<Record<string, string>>,
  kind: 'caged' | 'free',
  as: readonly string[],
): Tried {
  const own = ['/usr/bin/unshare', '--user', '--map-root-user', '--mount', '--', '/bin/sh', '-c', SECRETS, place]
  const node = [process.execPath, '--input-type=module', '-e', PROBE, '--', place, JSON.stringify(deeds), kind]
  const [command = '', ...args] = [...as, ...own, ...node]
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: '/', env: {} })
  if (!stdout.startsWith('{')) throw new Error(`the probe cannot be run: ${stderr}`)
  const tried: Tried = JSON.parse(stdout)
  return tried
}

/** As an ordinary user, and as root where the tests run as root. */
const users: Readonly<Record<string, readonly string[]>> = {
  'who runs the tests': [],
  ...(process.getuid?.() === 0 && {
    'an ordinary user': ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'],
  }),
}

for (const [user, as] of Object.entries(users))
  t.test(`as ${user}, a compromised decoder can do none of these actions`, { skip: !hasNamespaces }, async (t) => {
    const place = mkdtempSync(join(DIST, 'secrets-'))
    t.teardown(() => rmSync(place, { recursive: true, force: true }))
    if (as.length > 0) spawnSync('/bin/chown', ['65534:65534', place])
    const free = as.length === 0 ? tryAll(place, DEEDS, 'free', as).done : Object.keys(DEEDS)
    const { done, proven } = tryAll(place, DEEDS, 'caged', as)

    t.same(done, [CONTROL])
    t.ok(proven?.includes('no-secret-files'), 'the worker has tried')
    t.notOk(proven?.includes('one-process'), 'that it can start programs is reported')
    t.ok(free.includes('read the seal keys') && free.includes('empty a file on another mount'), 'without a sandbox it could')
    t.ok(free.includes('have another process killed first when memory is short'))
  })

/** Each succeeds with status 0. */
const node = (program: string) => [process.execPath, '-e', program]
const shell = (program: string) => ['/bin/sh', '-c', program]
const ALLOWED = {
  'use the memory that it may': node('Buffer.alloc(1e8)'),
  'start a thread': node('new (require("node:worker_threads").Worker)("", { eval: true })'),
}
const BOMBS = {
  'start a process': shell('(exit 0)\nexit 0'),
  'start a program': node('process.exit(require("node:child_process").spawnSync("/bin/true").status ?? 1)'),
  'take 4 GB': node('globalThis.kept = [1, 2, 3, 4].map(() => Buffer.allocUnsafeSlow(1e9))'),
}
/** By the numbers of x64: memory that no limit of a process counts. Perl can make any system call. */
const perl = (call: string) => ['/usr/bin/perl', '-e', `exit(syscall(${call}) == -1)`]
const CALLS = {
  'take 4 GB as shared memory': perl('9, 0, 4 << 30, 3, 0x21, -1, 0'),
  'take 4 GB as a stack': perl('9, 0, 4 << 30, 3, 0x122, -1, 0'),
  'take 4 GB as a segment': perl('29, 0, 4 << 30, 0600'),
}
const hasPerl = process.arch === 'x64' && existsSync('/usr/bin/perl')

t.test('a compromised decoder starts no process and takes no 4 GB', { skip: !hasFilters }, async (t) => {
  const sandboxCommand = findSandboxCommand({ readable: [...ownFiles(), ...TOOLS], hidden: [] })

  t.ok(sandboxCommand.proven.includes('one-process'), 'the worker has tried')
  for (const [what, command] of Object.entries({ ...ALLOWED, ...(hasPerl && { 'make a call': perl('39') }) }))
    t.equal(await statusOf(command, sandboxCommand), 0, what)
  for (const [what, command] of Object.entries({ ...BOMBS, ...(hasPerl && CALLS) }))
    t.not(await statusOf(command, sandboxCommand), 0, what)
})

/** A fork bomb with an end. Each process waits for a line that nobody writes, and the namespace ends with the first. */
const MANY = 'i=0; while [ $i -lt 1500 ]; do (read -r line <&3) & i=$((i + 1)); echo $i; done'
const THREADS_PROBE = `
import { spawn } from 'node:child_process'
const { findSandboxCommand, ownFiles } = await import(${JSON.stringify(SANDBOX)})
const cage = findSandboxCommand({ readable: [...ownFiles(), ...${JSON.stringify(TOOLS)}], hidden: [], mayFork: true })
const isLimited = cage.proven.includes('few-threads')
const [command, ...args] = cage.inside(['/bin/sh', '-c', isLimited ? ${JSON.stringify(MANY)} : 'exit 0'])
const child = spawn(command, args, { env: {}, cwd: '/', stdio: ['ignore', 'pipe', 'ignore', 'pipe'] })
let said = ''
child.stdout.on('data', (text) => { said += text })
child.once('exit', () => {
  process.stdout.write(JSON.stringify({ isLimited, started: said.split('\\n').length - 1 }))
  process.exit()
})
`

for (const [user, as] of Object.entries(users))
  t.test(`as ${user}, a compromised decoder has few threads, even where no filter can be loaded`, async (t) => {
    const probe = [process.execPath, '--input-type=module', '-e', THREADS_PROBE]
    const [command = '', ...args] = [...as, ...probe]
    const { stdout } = spawnSync(command, args, { encoding: 'utf8', cwd: '/', env: {} })
    const { isLimited, started }: { isLimited: boolean; started: number } = JSON.parse(stdout)
    if (!isLimited) return t.notOk(layersHere().includes('few-threads') && as.length === 0, 'what does not work is reported')
    t.ok(started > 64 && started < Math.max(...Object.values(MAX_THREADS)), `${started} processes, then no more`)
  })

t.test('a worker hides the configured secrets from its children, and logs which layers do not hold', async (t) => {
  const place = mkdtempSync(join(DIST, 'secrets-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const [data, keyFile, withdrawals] = [join(place, 'data'), join(place, 'own', 'key'), join(place, 'withdrawals')]
  for (const folder of [data, dirname(keyFile), withdrawals]) mkdirSync(folder)
  for (const file of [join(data, 'seal-keys'), keyFile, join(withdrawals, 'log')]) writeFileSync(file, 'secret')
  const worker = await startWorkers(t, await startRedis(t), {
    TABIR_HASHERS: '1',
    TABIR_DATA_DIR: data,
    TABIR_SEAL_KEY_FILE: keyFile,
    TABIR_WITHDRAWALS_DIR: withdrawals,
  })
  const said = worker.output.find((line) => line.includes('what holds for children')) ?? '{}'
  const { lacking }: { lacking?: readonly string[] } = JSON.parse(said)
  if (!hasNamespaces) {
    t.ok(lacking?.includes('no-secret-files'), 'where the system cannot hide them, the log says so')
    return
  }
  t.same(
    lacking,
    ISOLATION_LAYERS.filter((layer) => !layersHere().includes(layer)),
    'all others hold',
  )
  const [pid] = childrenOf(worker.pid ?? 0)
  const seen = (file: string) => readIn(`/proc/${pid}/root${file}`)
  await until(() =>
    [join(data, 'seal-keys'), keyFile, join(withdrawals, 'log')].every((file) => !seen(file).includes('secret')),
  )
  t.ok(seen(join(DIST, 'workers', 'media', 'child.js')).length > 0, 'its own program is there')
})

t.test('a decoder in its own PID namespace that runs out of memory is told from one that crashes', async (t) => {
  let given = 0
  const { sandbox } = await openObedient(t, {
    sandboxCommand: { ...findSandboxCommand({ readable: [...ownFiles(), tmpdir()], hidden: [] }), nodeFlags: [] },
    onOutOfMemory: () => given++,
  })
  t.same(await sandbox.hash(program('process.abort()'), 'query'), { problem: 'hashing-unavailable' })
  t.same(await sandbox.hash(program('process.kill(process.pid, "SIGSEGV"); await new Promise(() => {})'), 'query'), {
    problem: 'image-undecodable',
  })
  t.equal(given, 1)
  const [pid] = sandbox.pids
  const inner = pid === undefined ? [] : childrenOf(pid).flatMap(childrenOf)
  await sandbox.close()
  await until(() => inner.every((each) => !existsSync(`/proc/${each}`)))
  t.pass('its processes end with it')
})

t.test('the answers of a decoder are validated, and the hash of the file is added by the worker', async (t) => {
  const { sandbox } = await openObedient(t)
  const says = (answer: unknown) => program(`say(${JSON.stringify(JSON.stringify(answer))}); await new Promise(() => {})`)
  const hash = 'ab'.repeat(32)
  const file = { type: 'sha256', view: 'whole', quality: 100, hashes: [hash] }
  const lies = {
    'the hash of another file': { image: { quality: 80, signals: [file] } },
    'details that nobody wants': { image: { quality: 80, signals: [], details: 'AQEBAAA=' } },
    'a refusal of the case': { problem: 'case-withdrawn' },
    'the suspension of a key': { problem: 'key-suspended' },
    'bytes in the place of a hash': { image: { quality: 80, signals: [{ ...file, type: 'pdq', hashes: [hash] }] } },
  }
  for (const [what, answer] of Object.entries(lies))
    t.same(await sandbox.hash(says(answer), 'query'), { problem: 'image-undecodable' }, what)
  const part = { type: 'pdq-area', view: 'crop', quality: 80, hashes: [hash, hash] }
  const said = await sandbox.hash(says({ image: { quality: 80, signals: [part] } }), 'query')
  t.match(
    said,
    { image: { signals: [{ type: 'pdq-area' }, { type: 'sha256' }] } },
    'the worker adds the hash of the file itself',
  )
})

/** How a program ends in a sandbox with the limits of a decoder. */
function statusOf(command: readonly string[], sandboxCommand: SandboxCommand): Promise<number | null> {
  const child = spawnSandboxed(command, { memoryMb: 900, stdio: 'ignore', sandboxCommand })
  return new Promise((resolve) => child.once('close', resolve))
}

function readIn(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

// The memory of a process that crashes may be dumped to disk. The dump must hold nothing of a picture.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { leaveMemoryOutOfDumps } from '../../src/boot/process.js'
import { scene } from '../helpers/pictures.js'
import { openWith } from '../helpers/sandbox.js'

const REAL_CHILD = fileURLToPath(new URL('../../workers/media/child.js', import.meta.url))
const PROCESS = pathToFileURL(fileURLToPath(new URL('../../src/boot/process.js', import.meta.url))).href

/** The program's own text does not contain the marker, which exists in memory only. */
const CRASH = `
const image = Buffer.alloc(4 << 20, Buffer.from('MARKED').reverse())
process.kill(process.pid, 'SIGSEGV')
setInterval(() => image.length, 1000)`
const MARKER = Buffer.from('DEKRAMDEKRAM')

/** The dumps of a program that crashes without a limit, if this system writes them into the working folder. */
async function dumpsOf(t: Test, program: string): Promise<Buffer[]> {
  const place = mkdtempSync(join(tmpdir(), 'tabir-dumps-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const args = ['-c', 'ulimit -c unlimited; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', program]
  const child = spawn('/bin/sh', args, { cwd: place, stdio: 'ignore' })
  t.same(await once(child, 'exit'), [null, 'SIGSEGV'])
  return readdirSync(place).map((name) => readFileSync(join(place, name)))
}

t.test('a core dump of our process holds none of its memory', async (t) => {
  const usual = await dumpsOf(t, CRASH)
  for (const dump of usual) t.ok(dump.includes(MARKER), 'an ordinary dump holds it')
  const ours = await dumpsOf(t, `import { leaveMemoryOutOfDumps } from '${PROCESS}'; leaveMemoryOutOfDumps(); ${CRASH}`)
  t.equal(ours.length, usual.length)
  for (const dump of ours) t.notOk(dump.includes(MARKER), `${dump.length} bytes`)
})

t.test('a child that crashes with a picture leaves no dump, and a dump could hold no memory', async (t) => {
  leaveMemoryOutOfDumps() // as workers do before they start children
  const before = existsSync('/core') ? statSync('/core').mtimeMs : undefined
  const sandbox = await openWith(t, { entry: [REAL_CHILD] })
  const [pid] = sandbox.pids
  if (process.platform === 'linux') {
    t.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m)
    t.equal(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8').trim(), '00000000')
  }
  const picture = (await scene(77)).bytes
  const signal = (name: NodeJS.Signals) => process.kill(pid ?? 0, name)
  signal('SIGSTOP') // it cannot be done before it crashes
  const answer = sandbox.hash(picture, 'query')
  signal('SIGSEGV')
  signal('SIGCONT')
  t.match(await answer, { image: {} }, 'another child hashes it')
  t.notOk(sandbox.pids.includes(pid ?? 0), 'the first is gone')
  t.equal(existsSync('/core') ? statSync('/core').mtimeMs : undefined, before)
})

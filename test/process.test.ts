import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { closedTerminal, maxOpenFiles, withoutDumps } from '../src/boot/process.js'

t.test('a process started without dumps can write none, and keeps its pid and channel', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-process-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const program = join(folder, 'program.mjs')
  writeFileSync(program, 'process.send({ pid: process.pid }); process.on("message", () => process.exit(7))')
  const { command, args } = withoutDumps(program)

  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { PATH: process.env['PATH'] } })
  const [message] = await once(child, 'message')

  t.equal(z.object({ pid: z.int() }).parse(message).pid, child.pid, 'signals and its channel reach it')
  const limits = `/proc/${child.pid}/limits`
  if (existsSync(limits)) t.match(readFileSync(limits, 'utf8'), /^Max core file size +0 +0 /m)
  child.send('end')
  t.same(await once(child, 'exit'), [7, null])
})

t.test('the limit of open files is read, where the system provides it', async (t) => {
  t.ok(!existsSync('/proc/self/limits') || (maxOpenFiles() ?? 0) > 0)
  t.equal(maxOpenFiles('/nowhere'), undefined)
})

t.test('a terminal counts as closed when an earlier one is gone', async (t) => {
  const terminals = new Set([1, 2])
  const isClosed = closedTerminal((fd) => terminals.has(fd))
  t.equal(isClosed(), false)
  terminals.delete(2)
  t.equal(isClosed(), true)
  t.equal(closedTerminal(() => false)(), false, 'a service that was started without one')
})

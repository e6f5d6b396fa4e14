// Runs commands of `tabir` one after the other in one process, because loading a process takes longer than most commands.

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const MAIN = new URL('../../src/cli/main.js', import.meta.url)
const POLL_MS = 5
/** A command that keeps its process alive for longer would hang for an operator. */
const ENDS_TIMEOUT_MS = 20_000

const Command = z.object({ args: z.array(z.string()), env: z.record(z.string(), z.string()), cwd: z.string() })
type Command = z.infer<typeof Command>

let count = 0
let last = Promise.resolve()
process.on('message', (message) => {
  last = last.then(async () => {
    process.send?.(await run(Command.parse(message)))
  })
})
process.on('disconnect', () => process.exit())
const atRest = active()

async function run({ args, env, cwd }: Command) {
  process.chdir(cwd)
  process.argv = [process.execPath, fileURLToPath(MAIN), ...args]
  process.env = { ...env }
  process.exitCode = 0
  const out: string[] = []
  const errors: string[] = []
  const giveBack = [capture(process.stdout, out), capture(process.stderr, errors)]
  let status = 1
  try {
    count += 1
    await import(`${MAIN.href}?${count}`)
    status = Number(process.exitCode)
    await ended()
  } catch (error) {
    status = 1
    errors.push(error instanceof Error ? (error.stack ?? '') : String(error))
  } finally {
    for (const give of giveBack) give()
    process.exitCode = 0
  }
  return { status, out: out.join(''), errors: errors.join('') }
}

function capture(stream: NodeJS.WriteStream, into: string[]): () => void {
  const { write } = stream
  stream.write = (chunk: string | Uint8Array, ...more: unknown[]) => {
    into.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
    const done = more.find((each) => typeof each === 'function')
    if (done !== undefined) process.nextTick(done)
    return true
  }
  return () => {
    stream.write = write
  }
}

/** Waits until a process with this command alone would end. @throws if the command leaves a resource open. */
async function ended(): Promise<void> {
  const untilMs = performance.now() + ENDS_TIMEOUT_MS
  while (active() > atRest) {
    if (performance.now() > untilMs)
      throw new Error(`the command left something open: ${process.getActiveResourcesInfo().join(', ')}`)
    await sleep(POLL_MS)
  }
}

/** Open resources, without those of this check. */
function active(): number {
  return process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length
}

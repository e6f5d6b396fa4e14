// Runs test files while their processes are paused at random, as on an overloaded machine.
// node fuzz/still.mjs [--rounds N] [--longest-ms N] dist/test/http/match.test.js …
// A test that fails depends on time, or the program mistakes its own pause for a failure of another process.

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const GIVE_UP_AFTER_S = 600

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '1' }, 'longest-ms': { type: 'string', default: '1300' } },
})
const longestMs = Number(values['longest-ms'])

let failed = 0
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const file of files) {
    const { status, stops, seconds, output } = await runStopping(file)
    console.log(`${status === 0 ? 'ok' : 'FAILED'} ${file}: ${seconds.toFixed(1)} s, stopped ${stops} times`)
    if (status === 0) continue
    failed++
    console.log(output)
  }
}
process.exitCode = failed === 0 ? 0 : 1

async function runStopping(file) {
  const begunAtMs = performance.now()
  const env = { ...process.env, TAP_TIMEOUT: String(GIVE_UP_AFTER_S) }
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)))
  const stopping = stopAtRandom(child.pid, () => child.exitCode !== null || child.signalCode !== null)
  const status = await ended
  return { status, output, stops: await stopping, seconds: (performance.now() - begunAtMs) / 1000 }
}

/** Pauses one process at a time, half of them only for a moment. Leaves alone what a test itself has stopped. */
async function stopAtRandom(root, isOver) {
  let stops = 0
  while (!isOver()) {
    await sleep(50 + 500 * Math.random())
    const family = familyOf(root).filter(({ state }) => state === 'S' || state === 'R')
    const chosen = family[Math.floor(Math.random() * family.length)]
    if (chosen === undefined || isOver()) continue
    try {
      process.kill(chosen.pid, 'SIGSTOP')
      await sleep((Math.random() < 0.5 ? 300 : longestMs) * Math.random())
      process.kill(chosen.pid, 'SIGCONT')
      stops++
    } catch {
      // the process has ended
    }
  }
  return stops
}

/** A process and all its descendants. */
function familyOf(root) {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? processOf(name) : []))
  const known = new Set([root])
  for (let before = 0; before < known.size; ) {
    before = known.size
    for (const { pid, parent, session } of all) if (known.has(parent) || known.has(session)) known.add(pid)
  }
  return all.filter(({ pid }) => known.has(pid))
}

function processOf(name) {
  try {
    const [, pid, state, parent, , session] =
      /^(\d+) \(.*\) (\S) (\d+) (\d+) (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? []
    return [{ pid: Number(pid), state, parent: Number(parent), session: Number(session) }]
  } catch {
    return []
  }
}

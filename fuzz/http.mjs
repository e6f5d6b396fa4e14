// Sends hostile requests and pictures until the time is over, one seed after the other.
//
//   node build.mjs && node fuzz/http.mjs [--minutes 60] [--seed 1]
//
// Each round is a new service: test/fuzz/fuzz.test.ts with a longer budget. The first finding, crash or hang prints the seed and exits with 1. The same seed
// starts with the same requests.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } },
})
const ROUND_MS = 20_000
const STARTING_MS = 120_000
const ROUND_TEST = fileURLToPath(new URL('../dist/test/fuzz/fuzz.test.js', import.meta.url))

const endMs = performance.now() + 60_000 * Number(values.minutes)
let seed = Number(values.seed)
let rounds = 0
for (; performance.now() < endMs; seed++) {
  const round = spawnSync(process.execPath, [ROUND_TEST], {
    env: { ...process.env, TABIR_FUZZ_SEED: String(seed), TABIR_FUZZ_MS: String(ROUND_MS), TAP_TIMEOUT: '300' },
    timeout: 3 * ROUND_MS + STARTING_MS,
    encoding: 'utf8',
  })
  if (round.status !== 0) {
    console.error(round.stdout, round.stderr)
    console.error(`seed ${seed}: ${round.signal ?? `status ${round.status}`}`)
    process.exit(1)
  }
  rounds++
  const counts = [...round.stdout.matchAll(/ok \d+ - (?:alive after )?(\d+) (\w+)/g)].map(
    ([, count, what]) => `${count} ${what}`,
  )
  console.log(`seed ${seed}: ${counts.join(', ')}`)
}
console.log(`${rounds} rounds, nothing found`)

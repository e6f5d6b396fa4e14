// The cases of a run: all of them, one, so many, or as many as there is time for, in an order that the seed decides.

import { parseArgs } from 'node:util'
import { chanceFrom } from '../fuzz/chance.js'

export interface LineCase {
  readonly name: string
  /** @param number no other case of any seed has. */
  run(number: number): Promise<Outcome>
}

interface Outcome {
  /** `undefined` when all is well. */
  readonly found: string | undefined
  /** Did the request happen that was to go wrong? If not, nothing was tried. */
  readonly isHit: boolean
}

export interface LineRun {
  readonly cases: readonly LineCase[]
  /** How many are run at once. */
  readonly lanes: number
  /** Of a hundred cases, in how many the request may fail to happen. */
  readonly maxUnasked: number
}

const TELL_EVERY = 50
const SEEDS = 1000
const SEEDS_EACH = 20_000

/**
 * npm run fuzz page -- [--seconds 60 | --cases 100] [--seed 1] [--all] [--case NAME] [--list]
 *
 * The status is 1 when something was found, and 2 when the run itself failed.
 */
export async function runLine(
  /** @param wanted whether cases are run whose names begin so. */
  open: (wanted: (begin: string) => boolean) => Promise<LineRun & { close(): Promise<void> }>,
): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      cases: { type: 'string', default: '' },
      seed: { type: 'string', default: '1' },
      all: { type: 'boolean', default: false },
      case: { type: 'string', default: '' },
      list: { type: 'boolean', default: false },
    },
  })
  const seed = Number(values.seed)
  const startedAtMs = performance.now()
  const tookS = () => (performance.now() - startedAtMs) / 1000
  const [first = '', ...rest] = values.case.split(' / ')
  const world = await open((begin) => (rest.length > 0 ? begin === first : begin.startsWith(first)))
  try {
    // The same for a case whatever else is run, and another one for each.
    const seedOf = new Map(world.cases.map((each, i) => [each, (seed % SEEDS) * SEEDS_EACH + i]))
    const named = world.cases.filter(({ name }) => name.startsWith(values.case))
    if (values.list || named.length === 0) {
      for (const { name } of world.cases) process.stdout.write(`${name}\n`)
      process.exitCode = named.length === 0 ? 2 : 0
      return
    }
    const isAll = values.all || values.case !== ''
    const isCounted = values.cases !== ''
    const order = isAll ? [...named] : shuffled(named, seed).slice(0, isCounted ? Number(values.cases) : named.length)
    const findings: string[] = []
    const unasked: string[] = []
    let done = 0
    const lane = async () => {
      for (let next = order.shift(); next !== undefined; next = order.shift()) {
        if (!isAll && !isCounted && tookS() >= Number(values.seconds)) return
        const { found, isHit } = await next.run(seedOf.get(next) ?? 0)
        done++
        if (!isHit && found === undefined) unasked.push(next.name)
        if (done % TELL_EVERY === 0) process.stderr.write(`${done} cases after ${Math.round(tookS())} s\n`)
        if (found === undefined) continue
        findings.push(next.name)
        process.stdout.write(`Found: ${next.name}\n  ${found}\n`)
      }
    }
    await Promise.all(Array.from({ length: world.lanes }, lane))
    for (const name of unasked) process.stdout.write(`The request never happened: ${name}\n`)
    const isTooFew = unasked.length > Math.ceil((world.maxUnasked * done) / 100)
    process.stdout.write(
      `seed ${seed}: ${done} of ${named.length} cases, ${findings.length} findings, ${unasked.length} whose request never happened${isTooFew ? ' (too many)' : ''}, ${Math.round(tookS())} s\n`,
    )
    process.exitCode = findings.length === 0 && !isTooFew ? 0 : 1
  } finally {
    await world.close()
  }
}

function shuffled<T>(all: readonly T[], seed: number): T[] {
  const chance = chanceFrom(seed)
  const left = [...all]
  const order: T[] = []
  while (left.length > 0) order.push(...left.splice(chance.below(left.length), 1))
  return order
}

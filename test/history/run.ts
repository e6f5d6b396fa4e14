// Episodes from a seed for the given time, until a promise is broken; then the shortest part of the episode that shows it.

import { type Chance, chanceFrom } from '../fuzz/chance.js'
import { type Finding, runEpisode } from './episode.js'
import type { PromiseName } from './promises.js'
import { SCENARIOS, type Scenario } from './scenarios.js'
import { shortest } from './shrink.js'
import type { Episode, Step } from './steps.js'
import { keepWorlds, type Worlds } from './worlds.js'

export interface HistoryOptions {
  readonly seconds: number
  readonly seed: number
  /** Only these groups and scenarios; all when empty. */
  readonly only: readonly string[]
  readonly ignored: ReadonlySet<PromiseName>
  /** The folder of another version, built, which one of the APIs is of. */
  readonly other: string | undefined
  /** How long to look for a shorter sequence. */
  readonly shrinkSeconds: number
  readonly tell: (line: string) => void
  /** Ends everything that was started. */
  readonly ended?: AbortSignal
  /** Called with each step. */
  readonly trace: (line: string) => void
}

export interface HistoryReport {
  readonly episodes: number
  readonly steps: number
  /** [s] of the whole run, without shrinking. */
  readonly seconds: number
  readonly byScenario: Readonly<Record<string, number>>
  readonly finding?: Finding & { readonly scenario: string; readonly episode: number; readonly shortest: readonly Step[] }
}

export async function runHistory(options: HistoryOptions): Promise<HistoryReport> {
  const { seconds, seed, only, ignored, tell } = options
  const startedAtMs = performance.now()
  const scenarios = SCENARIOS.filter(({ group, name }) => only.length === 0 || only.includes(group) || only.includes(name))
  const worlds = keepWorlds(options.other)
  options.ended?.addEventListener('abort', () => void worlds.close().finally(() => process.exit(2)))
  const byScenario: Record<string, number> = {}
  let steps = 0
  let number = 0
  const tookS = () => Math.round((performance.now() - startedAtMs) / 100) / 10
  const report = () => ({ episodes: number, steps, seconds: tookS(), byScenario })
  try {
    for (let round = 0; ; round++) {
      for (const scenario of roundOf(scenarios, chanceFrom(episodeSeed(seed, -1 - round)))) {
        if (tookS() >= seconds) return report()
        const own = episodeSeed(seed, number)
        const episode: Episode = { ...scenario, steps: scenario.steps(chanceFrom(own)) }
        const finding = await runEpisode(worlds, episode, ignored, own, options.trace)
        steps += episode.steps.length
        byScenario[scenario.name] = (byScenario[scenario.name] ?? 0) + 1
        if (finding !== undefined) {
          const told = report()
          tell(`after ${told.seconds} s, episode ${number} (${scenario.name}): ${finding.promise}: ${finding.what}`)
          const short = await shrunk(worlds, { ...episode, steps: finding.steps }, finding, own, options)
          return { ...told, finding: { ...finding, scenario: scenario.name, episode: number, shortest: short } }
        }
        number++
      }
    }
  } finally {
    await worlds.close()
  }
}

/** All scenarios, each as often as its weight, in random order. */
function roundOf(scenarios: readonly Scenario[], chance: Chance): Scenario[] {
  const left = scenarios.flatMap((scenario) => Array.from({ length: scenario.weight }, () => scenario))
  const round: Scenario[] = []
  while (left.length > 0) round.push(...left.splice(chance.below(left.length), 1))
  return round
}

function episodeSeed(seed: number, number: number): number {
  return seed * 1_000_003 + number
}

/** Searches a part of the steps that breaks the same promise, with its own names, organisations and worlds. */
async function shrunk(
  worlds: Worlds,
  episode: Episode,
  { promise }: Finding,
  seed: number,
  { shrinkSeconds, ignored, tell }: HistoryOptions,
): Promise<readonly Step[]> {
  const endMs = performance.now() + shrinkSeconds * 1000
  const fails = async (steps: readonly Step[]) => {
    const finding = await runEpisode(worlds, { ...episode, steps }, ignored, seed)
    return finding?.promise === promise
  }
  const short = await shortest(episode.steps, fails, () => performance.now() < endMs)
  tell(`${episode.steps.length} steps, shortened to ${short.length}`)
  return short
}

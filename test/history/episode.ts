// Runs an episode: a step, then a check of every promise, until the end or the first broken promise.

import { chanceFrom } from '../fuzz/chance.js'
import { check } from './check.js'
import { perform } from './perform.js'
import { freeAll, moveRedisDates } from './perform-process.js'
import { type PromiseName, Violation } from './promises.js'
import { openScene, type Scene } from './scene.js'
import { type Episode, type Step, textOf } from './steps.js'
import { Abandoned } from './world.js'
import type { KeptWorld, Worlds } from './worlds.js'

export interface Finding {
  readonly promise: PromiseName
  readonly what: string
  /** The steps up to the one that showed it. */
  readonly steps: readonly Step[]
}

/** More would leave too much behind for the next episode. */
const MAX_LEFT = 20_000

export async function runEpisode(
  worlds: Worlds,
  episode: Episode,
  ignored: ReadonlySet<PromiseName>,
  seed: number,
  tell: (line: string) => void = () => {},
): Promise<Finding | undefined> {
  const kept = await worlds.of(episode.world)
  const chance = chanceFrom(seed)
  const random = () => chance.below(2 ** 30) / 2 ** 30
  let done = 0
  let scene: Scene | undefined
  try {
    scene = await openScene(kept.world, random, ignored, kept.watcher)
    for (const step of episode.steps) {
      done++
      const fromMs = performance.now()
      await doStep(scene, kept, step)
      tell(`${Math.round(performance.now() - fromMs)} ms: ${textOf(step)}`)
    }
    freeAll(scene)
    for (const step of cleaningOf(scene)) await doStep(scene, kept, step)
    kept.world.clock.stepTo(0)
    // A Sentinel has its own memory of earlier masters, and a million hashes would slow down everything after.
    if (scene.model.things.size > MAX_LEFT || episode.world === 'sentinel') await worlds.forget(episode.world)
    return undefined
  } catch (error) {
    await worlds.forget(episode.world)
    if (error instanceof Abandoned) {
      tell(`abandoned: ${error.message}`)
      return undefined
    }
    if (!(error instanceof Violation)) throw error
    return { promise: error.promise, what: error.message, steps: episode.steps.slice(0, done) }
  } finally {
    for (const end of scene?.endings ?? []) end()
  }
}

async function doStep(scene: Scene, kept: KeptWorld, step: Step): Promise<void> {
  const by = await perform(scene, step)
  if (scene.redisAheadS > 0) await moveRedisDates(scene, scene.redisAheadS)
  if (step.do === 'lose-replica') scene.isDegraded = true
  if (step.do === 'fail-over') scene.isDegraded = false
  const crashes = kept.world.apis.flatMap((api) => api.crashes)
  if (crashes.length > kept.crashesTold) scene.broken('alive', `a process ended by itself: ${crashes.at(-1)}`)
  kept.crashesTold = crashes.length
  // A failing write is no reason to refuse queries, but nothing is promised about what was requested meanwhile.
  if (!scene.isDegraded) await check(scene, kept.followers, by)
}

/** What an episode leaves must not fail the next one, and everything can be withdrawn. */
function cleaningOf({ model, cases }: Scene): Step[] {
  if (model.things.size > MAX_LEFT) return []
  const open = [...model.homes].flatMap(([home, presence]) => (presence === 'there' ? [home] : []))
  return open.map((home): Step => ({ do: cases.has(home) ? 'withdraw' : 'remove-bank', at: 0, home }))
}

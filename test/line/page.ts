// Each journey of the page × each of its requests × each fault: what the page says equals what the store holds, and a reload recovers.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { launchShell } from '../helpers/chromium.js'
import { FAULTS } from './faults.js'
import type { Journey } from './journey.js'
import { Finding, type Person, person } from './person.js'
import { type FaultyProxy, type Plan, startProxy } from './proxy.js'
import { REGISTERING } from './registering.js'
import { type LineCase, runLine } from './run.js'
import { VISITING } from './visiting.js'
import { openWindow } from './window.js'
import { openWorld, type World } from './world.js'

const LANES = 3
/** A journey has up to so many images, which no other has. */
const SEEDS_EACH = 100
/** Of the journeys without a fault. */
const FIRST_SEED = 4_000_000_000
const IS_ASSET = /^GET \/(assets\/.*|case)? \d+$/

await runLine(async (wanted) => {
  const settings = { extendedProtection: true, site: { offersExtendedProtection: true } }
  const usual = await openWorld(settings)
  const asking = await openWorld({ ...settings, trustLimits: { proofRounds: 1 } })
  const browser = await launchShell()
  const { walk, closeSubjectQueues } = walksIn(browser)
  const cases: LineCase[] = []
  for (const [i, [name, journey]] of Object.entries({ ...REGISTERING, ...VISITING }).entries()) {
    if (!wanted(name)) continue
    const world = journey.asksForProof === true ? asking : usual
    const { found, seen } = await walk(world, journey, undefined, FIRST_SEED + i * SEEDS_EACH)
    if (found !== undefined) throw new Error(`without a fault, ${name}: ${found}`)
    for (const request of seen) {
      if (IS_ASSET.test(request) && journey.withAssets !== true) continue
      for (const fault of FAULTS) {
        const run = (number: number) => walk(world, journey, { request, fault }, number * SEEDS_EACH)
        cases.push({ name: `${name} / ${request} / ${fault}`, run })
      }
    }
  }
  return {
    cases,
    lanes: LANES,
    maxUnasked: 1,
    async close() {
      await closeSubjectQueues()
      await browser.close()
      await Promise.all([usual.close(), asking.close()])
    },
  }
})

interface Lane {
  readonly page: Page
  readonly proxy: FaultyProxy
  /** What went wrong in the page by itself. */
  readonly errors: string[]
  close(): Promise<void>
}

async function openSubjectQueue(browser: Browser, world: World): Promise<Lane> {
  const [proxy, context] = await Promise.all([startProxy(world.url), browser.newContext({ locale: 'en' })])
  const page = await openWindow(context)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  const close = async () => {
    await context.close()
    await proxy.close()
  }
  return { page, proxy, errors, close }
}

/** Windows are used again, with the program in their cache, except where that is what meets the fault. */
function walksIn(browser: Browser) {
  const free = new Map<World, Lane[]>()
  const closeSubjectQueues = async () => void (await Promise.all([...free.values()].flat().map((lane) => lane.close())))

  const walk = async (world: World, journey: Journey, plan: Plan | undefined, seed: number) => {
    const isFresh = journey.withAssets === true
    const lane = (isFresh ? undefined : free.get(world)?.pop()) ?? (await openSubjectQueue(browser, world))
    const walked = await walkOn(lane, world, journey, plan, seed)
    if (isFresh || walked.found !== undefined) await lane.close()
    else free.set(world, [...(free.get(world) ?? []), lane])
    return walked
  }
  return { walk, closeSubjectQueues }
}

async function walkOn({ page, proxy, errors }: Lane, world: World, journey: Journey, plan: Plan | undefined, seed: number) {
  let seen: readonly string[] = []
  const her = person(page, world, proxy)
  try {
    proxy.begin(undefined)
    proxy.whenHit(async () => {})
    await journey.before?.(her, seed)
    await arrived(proxy)
    proxy.begin(plan)
    await journey.run(her, seed)
    await arrived(proxy)
    seen = [...proxy.seen]
    await recover(proxy, her)
    return { found: errors[0], seen, isHit: proxy.isHit() }
  } catch (error) {
    const text = error instanceof Finding ? error.message : String(error)
    return { found: [text, ...errors].join('\n  '), seen, isHit: proxy.isHit() }
  } finally {
    proxy.release()
  }
}

/** What was late has arrived; she opens her page again, with what she wrote down. */
async function recover(proxy: FaultyProxy, her: Person): Promise<void> {
  proxy.release()
  await arrived(proxy)
  await her.go('/case')
  await her.openCase()
  await her.compare()
}

async function arrived(proxy: FaultyProxy): Promise<void> {
  for (let i = 0; i < 500 && proxy.busy() > 0 && !proxy.isHolding(); i++) await sleep(5)
}

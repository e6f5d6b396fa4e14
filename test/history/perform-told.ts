// Steps about who is told what later: organisations that watch for a picture, fetchers of StopNCII's interface, and legal deadlines by clocks that differ.

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { fieldsOf } from '../../src/store/webhooks/outbox.js'
import { isDone, isUnsure } from './calls.js'
import { matchesOf } from './check.js'
import { thingAt } from './model.js'
import { idOf, pdq } from './perform-signals.js'
import { refuseOdd, type Scene, thingName } from './scene.js'
import type { Api, Ref, StepOf } from './steps.js'
import { SEAL_KEY } from './world.js'

/** Registrations are compared with watches by one of two processes, which may have to take over from the other. */
const TOLD_TIMEOUT_MS = 20_000
/** Missed deadlines are looked for every 0.75 s. */
const ANNOUNCED_TIMEOUT_MS = 2500
const MAX_PAGES = 1000
const Page = z.object({ nextSetTimestamp: z.int(), nextPageToken: z.string().nullable(), hasMoreRecords: z.boolean() })
const Events = z.object({
  events: z.array(z.object({ kind: z.string(), about: z.object({ signalId: z.string().optional() }).optional() })),
})

/** What is told of hashes that this episode watches for. */
export async function watch(scene: Scene, { at, hash }: StepOf<'watch'>): Promise<undefined> {
  const json = { watches: [{ signals: [pdq(scene.hashOf(hash))] }] }
  const answer = await scene.ask(at, { method: 'POST', path: '/v1/watch', key: scene.keys.platform, json })
  if (isDone(answer)) scene.watched.add(hash)
  else refuseOdd(scene, 'watching', answer)
}

/** @param wasThere whether it was registered, or may have been, before the step. */
export function noteRegistered(scene: Scene, ref: Ref, wasThere: boolean): void {
  const thing = thingAt(scene.model, ref)
  if (!wasThere && thing?.presence === 'there' && scene.watched.has(ref.hash)) scene.untold.add(thingName(ref))
}

/** Its watcher was told of the last registration. */
export async function checkTold(scene: Scene, step: StepOf<'told'>): Promise<undefined> {
  const name = thingName(step)
  const id = scene.ids.get(name)
  if (thingAt(scene.model, step)?.presence !== 'there' || id === undefined || !scene.untold.delete(name)) return
  const before = scene.told.get(name) ?? 0
  const endMs = performance.now() + TOLD_TIMEOUT_MS
  while (performance.now() < endMs) {
    const now = await timesTold(scene, id)
    scene.told.set(name, now)
    if (now > before) return
    await sleep(20)
  }
  scene.broken('watch-told', `${name} was registered again, and who watches for it was told ${before} times as before`)
}

async function timesTold({ world }: Scene, id: string): Promise<number> {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  const entries = await world.redis().xrangeBuffer(keys.webhookOutbox, '-', '+')
  return entries
    .map(([, flat]) => fieldsOf(flat))
    .filter((fields) => fields.get('kind')?.toString() === 'match.found' && fields.get('image')?.equals(bytes)).length
}

/** The picture in a bank gets other hashes besides its first, as a picture that is handed in again after new views were added. */
export async function changePicture(scene: Scene, step: StepOf<'change-picture'>): Promise<undefined> {
  const id = await idOf(scene, step.at, step)
  if (id === undefined || thingAt(scene.model, step)?.presence !== 'there') return
  const store = await openStore(scene.world.target)
  try {
    const images = createImageStore(store, makeKeyring([SEAL_KEY]))
    const [image] = await images.get([id])
    const [first] = image?.signals ?? []
    if (image === undefined || first === undefined) return
    const others = Array.from({ length: step.hashes }, () => ({
      ...({ type: 'pdq', view: 'whole', quality: 90 } as const),
      hash: hashFromBytes(Buffer.from(Array.from({ length: 32 }, () => Math.floor(scene.random() * 256)))),
    }))
    await images.replace({ id, image: { ...image, signals: [first, ...others] } })
  } catch {
    // Redis is unavailable
  } finally {
    await store.close()
  }
}

/** A fetcher goes on from where it was, to the end. */
export async function fetchAll(scene: Scene, { at }: StepOf<'fetch'>): Promise<undefined> {
  const key = scene.keys.owner
  let token = ''
  let sinceS = scene.fetchedUntilS
  for (let i = 0; i < MAX_PAGES; i++) {
    const query = new URLSearchParams({ startTimestamp: String(sinceS), pageSize: '800', nextPageToken: token })
    const answer = await scene.ask(at, { method: 'GET', path: `/stopncii/v1/FetchHashes?${query}`, key })
    const page = Page.safeParse(answer.json)
    if (answer.status === 500) scene.broken('fetch-goes-on', `a fetch was answered with 500: ${answer.text.slice(0, 160)}`)
    if (answer.status !== 200 || !page.success) {
      if (!isUnsure(answer)) refuseOdd(scene, 'fetching', answer)
      return
    }
    scene.fetchedUntilS = Math.max(scene.fetchedUntilS, page.data.nextSetTimestamp)
    if (!page.data.hasMoreRecords) return
    sinceS = scene.fetchedUntilS
    token = page.data.nextPageToken ?? ''
  }
}

/** A person sends a notice, which gives deadlines to platforms that match her picture. */
export async function notice(scene: Scene, { at, home }: StepOf<'notice'>): Promise<Api | undefined> {
  const own = scene.cases.get(home)
  if (own === undefined) return undefined
  const statements = ['goodFaith', 'withoutConsent', 'accurate', 'authorised']
  const json = { laws: ['my-onsa'], statements, actingAs: 'self' }
  const path = `/v1/cases/${own.caseNumber}/notice`
  const answer = await scene.ask(at, { method: 'PUT', path, key: own.token, json })
  if (!isDone(answer)) refuseOdd(scene, 'a notice', answer)
  return isDone(answer) ? at : undefined
}

/** A platform matches it: from now on deadlines run. */
export async function seen(scene: Scene, { at, hash }: StepOf<'seen'>): Promise<undefined> {
  await matchesOf({ ...scene, keys: { ...scene.keys, watcher: scene.keys.platform } }, at, [hash])
}

/** No time has passed in which anybody could have missed a deadline, whatever one clock says. */
export async function checkNothingMissed(scene: Scene): Promise<undefined> {
  const ids = new Set(scene.ids.values())
  const endMs = performance.now() + ANNOUNCED_TIMEOUT_MS
  while (performance.now() < endMs) {
    const answer = await scene.ask(scene.asked(0), {
      method: 'GET',
      path: '/v1/events?limit=1000',
      key: scene.keys.operator,
    })
    const events = Events.safeParse(answer.json).data?.events ?? []
    const missed = events.find(({ kind, about }) => kind === 'sla.due' && ids.has(about?.signalId ?? ''))
    if (missed !== undefined) scene.broken('deadlines', 'a deadline was announced as missed that no two clocks have reached')
    await sleep(100)
  }
}

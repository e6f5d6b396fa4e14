// Steps with thousands of hashes: files that are imported again during queries, and files that arrive while a snapshot is
// written.

import { readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isDone } from './calls.js'
import { matchesOf } from './check.js'
import { registered, removed, thingAt, thingsIn } from './model.js'
import { isOpen, ndjsonOf, sendFile } from './perform-signals.js'
import { nameOf, refuseOdd, type Scene, untilReady } from './scene.js'
import type { Api, StepOf } from './steps.js'
import { dataDirOf } from './world.js'

/** As in `ImageTable`. */
const PAGE_IMAGES = 65_536
const ASKED_AT_ONCE = 500
const IndexReport = z.object({ images: z.number() })

export async function importGroup(scene: Scene, step: StepOf<'import'>): Promise<Api | undefined> {
  const { at, home, group, count } = step
  if (!isOpen(scene, home)) return undefined
  const names = namesOf(scene, group, count)
  const isThere = await sendNames(scene, at, home, names)
  return isThere ? at : undefined
}

function namesOf({ groups }: Scene, group: string, count: number): string[] {
  const known = groups.get(group) ?? []
  const added = Array.from({ length: count }, (_, i) => `${group}.${known.length + i}`)
  groups.set(group, [...known, ...added])
  return added
}

async function sendNames(scene: Scene, at: Api, home: string, names: readonly string[]): Promise<boolean> {
  const answer = await sendFile(scene, at, home, names.map((name) => ndjsonOf(scene.hashOf(name))).join('\n'))
  if (!isDone(answer)) refuseOdd(scene, `importing into ${home}`, answer)
  for (const hash of names) registered(scene.model, { home, hash }, 'ngo-attested', isDone(answer))
  return isDone(answer)
}

/** The same file again, which changes nothing, while both APIs are queried about its content. */
export async function importAgain(scene: Scene, step: StepOf<'import-again'>): Promise<Api | undefined> {
  const { at, home, times } = step
  if (!isOpen(scene, home)) return undefined
  const names = thereOf(scene, step)
  if (names.length === 0) return undefined
  let isOver = false
  const asking = Promise.all(([0, 1] as const).map((api) => askUntil(scene, api, home, names, () => isOver)))
  asking.catch(() => {}) // reported below, once the import has ended
  try {
    for (let i = 0; i < times; i++) await sendNames(scene, at, home, names)
  } finally {
    isOver = true
  }
  await asking
  return at
}

async function askUntil(
  scene: Scene,
  at: Api,
  home: string,
  names: readonly string[],
  isOver: () => boolean,
): Promise<void> {
  if (scene.world.stopped.has(at)) return
  const bank = scene.bankName(home)
  while (!isOver()) {
    const from = Math.floor(scene.random() * Math.max(1, names.length - ASKED_AT_ONCE))
    const some = names.slice(from, from + ASKED_AT_ONCE)
    const found = await matchesOf(scene, at, some)
    const missing = some.filter((name) => !found.get(name)?.some((each) => each.bank === bank))
    if (missing.length > 0)
      scene.broken(
        'registered-matches',
        `${nameOf(at)}: ${missing.length} of ${some.length} hashes that are registered all the time did not match while their file was imported again`,
      )
  }
}

/** Some drawn at random, half of them from the first. */
export async function removeSome(scene: Scene, step: StepOf<'remove-some'>): Promise<Api | undefined> {
  const names = thereOf(scene, step)
  const anyOf = (some: readonly string[]) => some[Math.floor(scene.random() * some.length)] ?? ''
  const chosen = Array.from({ length: step.count }, (_, i) => anyOf(i % 2 === 0 ? names : names.slice(0, 2 * step.count)))
  return await removeNames(scene, step, new Set(chosen))
}

export async function removeLast(scene: Scene, step: StepOf<'remove-last'>): Promise<Api | undefined> {
  return await removeNames(scene, step, new Set(thereOf(scene, step).slice(-step.count)))
}

function thereOf(scene: Scene, { home, group }: { readonly home: string; readonly group: string }): string[] {
  if (!isOpen(scene, home)) return []
  return (scene.groups.get(group) ?? []).filter((hash) => thingAt(scene.model, { home, hash })?.presence === 'there')
}

async function removeNames(scene: Scene, { at, home }: { readonly at: Api; readonly home: string }, names: Set<string>) {
  names.delete('')
  if (names.size === 0) return undefined
  const lines = [...names].map((hash) => ndjsonOf(scene.hashOf(hash), true, { deleted: true }))
  const answer = await sendFile(scene, at, home, lines.join('\n'))
  if (!isDone(answer)) refuseOdd(scene, `removing some of ${home}`, answer)
  for (const thing of thingsIn(scene.model, home)) if (names.has(thing.hash)) removed(thing, isDone(answer))
  return isDone(answer) ? at : undefined
}

/** Imports until only this many images are missing from a full page of the table. */
export async function fillPage(scene: Scene, step: StepOf<'fill-page'>): Promise<Api | undefined> {
  const answer = await scene.ask(step.at, { method: 'GET', path: '/health/index' })
  const images = IndexReport.safeParse(answer.json).data?.images
  if (images === undefined) return undefined
  const missing = PAGE_IMAGES - step.left - (images % PAGE_IMAGES)
  return missing <= 0 ? undefined : await importGroup(scene, { ...step, do: 'import', count: missing })
}

const SNAPSHOT_TIMEOUT_MS = 20_000
/** Only its id. */
const HEAD_BYTES = 24
/** Cases that are opened at the same time: a write to a file waits until that many PINs have been computed. */
const OPENED_AT_ONCE = 2

/** An import that starts as a snapshot begins; then the process is killed once that snapshot exists, and starts from it. */
export async function importAtSnapshot(scene: Scene, step: StepOf<'import-at-snapshot'>): Promise<Api | undefined> {
  const { at, home, group, count, delayMs } = step
  if (!isOpen(scene, home)) return undefined
  let isOver = false
  const load = Array.from({ length: OPENED_AT_ONCE }, async () => {
    while (!isOver) await scene.ask(at, { method: 'POST', path: '/v1/cases', json: { adult: true } })
  })
  const path = join(dataDirOf(scene.world.folder, at), 'snapshots', 'index.snapshot')
  const inode = () => statSync(path, { throwIfNoEntry: false })?.ino
  try {
    // Something new, so that there is a snapshot to write; then its first bytes.
    await importGroup(scene, { do: 'import', at, home, group, count: 1 })
    await within(SNAPSHOT_TIMEOUT_MS, () => isBegun(path))
    const before = inode()
    await sleep(delayMs)
    await importGroup(scene, { do: 'import', at, home, group, count })
    await within(SNAPSHOT_TIMEOUT_MS, () => inode() !== before)
  } finally {
    isOver = true
    await scene.world.apis[at].kill()
    await Promise.all(load)
  }
  await untilReady(scene, at)
  return undefined
}

export async function coldStart(scene: Scene, { api }: StepOf<'cold-start'>): Promise<void> {
  rmSync(join(dataDirOf(scene.world.folder, api), 'snapshots'), { recursive: true, force: true })
  await scene.world.apis[api].kill()
  await untilReady(scene, api)
}

function isBegun(path: string): boolean {
  const folder = dirname(path)
  try {
    const unfinished = readdirSync(folder).filter((name) => name.endsWith('.new'))
    return unfinished.some((name) => statSync(join(folder, name)).size === HEAD_BYTES)
  } catch {
    return false // it was moved meanwhile
  }
}

/** Checks repeatedly, at most for this long. */
async function within(ms: number, look: () => boolean): Promise<void> {
  for (const endMs = performance.now() + ms; !look() && performance.now() < endMs; ) await sleep(1)
}

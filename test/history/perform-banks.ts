// Steps about whole banks: made, removed, made again, and emptied by their own export.

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type Answer, codeOf, isDone, isUnsure } from './calls.js'
import { checkErased, matchesOf } from './check.js'
import { homeEnded, removed, thingsIn } from './model.js'
import { isOpen, sendFile } from './perform-signals.js'
import { refuseOdd, type Scene, thingName } from './scene.js'
import type { Api, StepOf } from './steps.js'

const FileLine = z.looseObject({ signalId: z.string(), hash: z.string().optional(), deleted: z.boolean().optional() })

export async function createBank(scene: Scene, { at, home }: { readonly at: Api; readonly home: string }): Promise<Answer> {
  const json = { name: scene.bankName(home) }
  const answer = await scene.ask(at, { method: 'POST', path: '/v1/banks', key: scene.keys.owner, json })
  if (isDone(answer)) scene.model.homes.set(home, 'there')
  else if (isUnsure(answer)) scene.model.homes.set(home, 'unsure')
  return answer
}

/** A bank is empty after its reversed export was imported, and no line may be counted as accepted that did nothing. */
export async function reverseExport(scene: Scene, { at, home }: StepOf<'reverse-export'>): Promise<Api | undefined> {
  if (!isOpen(scene, home) || scene.cases.has(home)) return undefined
  const path = `/v1/banks/${scene.bankName(home)}/exports`
  const file = await scene.ask(at, { method: 'POST', path, key: scene.keys.owner, json: { format: 'ndjson', plain: true } })
  if (!isDone(file)) {
    refuseOdd(scene, `exporting ${home}`, file)
    return undefined
  }
  const lines = file.text.split('\n').flatMap((text) => (text === '' ? [] : [FileLine.parse(JSON.parse(text))]))
  const answer = await sendFile(scene, at, home, lines.map((line) => JSON.stringify({ ...line, deleted: true })).join('\n'))
  const there = thingsIn(scene.model, home).filter(({ presence }) => presence === 'there')
  if (!isDone(answer)) {
    for (const thing of there) removed(thing, false)
    refuseOdd(scene, `importing the export of ${home}`, answer)
    return undefined
  }
  // Only its effect is checked, not its counts.
  const hashes = there.map(({ hash }) => hash)
  const found = await matchesOf(scene, at, hashes)
  const left = hashes.filter((hash) => found.get(hash)?.some(({ bank }) => bank === scene.bankName(home)))
  if (left.length > 0)
    scene.broken(
      'import-reverses',
      `${left.join(', ')} of ${home} still match after all lines of its export came back as deleted`,
    )
  for (const thing of there) removed(thing, left.length === 0)
  if (left.length === 0) for (const thing of there) await checkErased(scene, thingName(thing))
  return at
}

export async function removeBank(
  scene: Scene,
  { at, home }: { readonly at: Api; readonly home: string },
): Promise<Api | undefined> {
  if (!isOpen(scene, home) || scene.cases.has(home)) return undefined
  const there = thingsIn(scene.model, home).filter(({ presence }) => presence === 'there')
  const answer = await scene.ask(at, { method: 'DELETE', path: `/c/bank/${scene.bankName(home)}`, key: scene.keys.owner })
  if (!isDone(answer)) refuseOdd(scene, `removing ${home}`, answer)
  if (isDone(answer) || isUnsure(answer)) homeEnded(scene.model, home, isDone(answer))
  if (isDone(answer)) for (const thing of there.slice(0, 20)) await checkErased(scene, thingName(thing))
  return isDone(answer) ? at : undefined
}

const GRACE_S = 11
const FREE_TIMEOUT_MS = 15_000

/** The name becomes free some seconds after the bank was removed, once a process has erased its signals. */
export async function renewBank(scene: Scene, { at, home }: StepOf<'renew-bank'>): Promise<Api | undefined> {
  if (isOpen(scene, home)) await removeBank(scene, { at, home })
  if (scene.model.homes.get(home) !== 'gone') return undefined
  scene.world.clock.stepTo(scene.world.clock.offsetS + GRACE_S)
  const endMs = performance.now() + FREE_TIMEOUT_MS
  for (;;) {
    const answer = await createBank(scene, { at, home })
    if (isDone(answer)) break
    if (codeOf(answer) !== 'bank-exists' || performance.now() > endMs) {
      refuseOdd(scene, `making ${home} again`, answer)
      return undefined
    }
  }
  await staysFor(scene, home)
  return at
}

const SEEN_FOR_MS = 1200

async function staysFor(scene: Scene, home: string): Promise<void> {
  const endMs = performance.now() + SEEN_FOR_MS
  while (performance.now() < endMs) {
    await sleep(150)
    const left = await scene.world.redis().hexists('{tabir}:banks', scene.bankName(home))
    if (left === 0) return scene.broken('bank-stays', `${home} was made again, acknowledged, and is gone`)
  }
}

// Steps about registering and withdrawing: cases, banks, files, StopNCII's interface.

import { z } from 'zod'
import { type Answer, codeOf, isDone, isUnsure } from './calls.js'
import { checkErased } from './check.js'
import { homeEnded, registered, removed, type Thing, thingAt, thingsIn } from './model.js'
import { refuseOdd, type Scene, thingName } from './scene.js'
import type { Api, Ref, StepOf } from './steps.js'
import { filmOf, isVideo } from './videos.js'

const Opened = z.object({ caseNumber: z.string(), token: z.string() })
const Added = z.array(z.object({ imageId: z.string().optional() }))
const CaseImages = z.object({ images: Added, videos: Added.optional() })
const BankSignals = z.object({ signals: z.array(z.object({ signalId: z.string().optional() })) })
const Content = z.object({ id: z.number() })
const ImportReport = z.object({ accepted: z.number(), removed: z.number(), rejected: z.number() })
const OwnBanks = z.object({ banks: z.array(z.object({ bank: z.string(), own: z.boolean() })) })

export const pdq = (hash: string) => ({ type: 'pdq', hash, quality: 100 })
/** Names of the hashes of other views of a picture in a case. */
export const OTHER_VIEWS = { whole: 'a second view of ', crop: 'a crop of ' } as const

export async function openCase(scene: Scene, { at, home }: StepOf<'open-case'>): Promise<void> {
  const answer = await scene.ask(at, { method: 'POST', path: '/v1/cases', json: { adult: true, category: 'nude' } })
  const opened = Opened.safeParse(answer.json)
  if (!opened.success) return refuseOdd(scene, 'opening a case', answer)
  scene.cases.set(home, opened.data)
  scene.model.homes.set(home, 'there')
}

export async function register(scene: Scene, step: StepOf<'register'>): Promise<Api | undefined> {
  const { at, home, hash } = step
  if (!isOpen(scene, home)) return undefined
  const tier = scene.cases.has(home) || isUnreviewed(step) ? 'self-reported' : 'ngo-attested'
  const answer = await (scene.cases.has(home) ? addToCase(scene, step) : addToBank(scene, step))
  const isRefused = (ImportReport.safeParse(answer.json).data?.rejected ?? 0) > 0
  if (isDone(answer) && !isRefused) registered(scene.model, { home, hash }, tier, true)
  else if (isUnsure(answer)) registered(scene.model, { home, hash }, tier, false)
  else if (!mayBeRefused(scene, step, answer)) refuseOdd(scene, `registering ${thingName(step)}`, answer)
  return isDone(answer) && !isRefused ? at : undefined
}

/** Only CSV and NDJSON can state that a hash was not reviewed. */
function isUnreviewed({ way, reviewed }: StepOf<'register'>): boolean {
  return !reviewed && (way === 'csv' || way === 'ndjson')
}

/** An invalidated signal is not accepted again, nor is a harmless one. */
function mayBeRefused(scene: Scene, step: Ref, answer: Answer): boolean {
  const wasJudged = [...scene.model.things.values()].some(({ hash, dispute }) => hash === step.hash && dispute === 'upheld')
  return (
    wasJudged || scene.model.judged.has(step.hash) || ['account-suspended', 'bank-unknown'].includes(codeOf(answer) ?? '')
  )
}

async function addToCase(scene: Scene, { at, home, hash }: StepOf<'register'>): Promise<Answer> {
  const own = scene.cases.get(home)
  const signals = [
    pdq(scene.hashOf(hash)),
    ...Object.entries(OTHER_VIEWS).map(([view, of]) => ({
      ...{ type: 'pdq-area', view, quality: 90 },
      hash: scene.hashOf(of + hash),
    })),
  ]
  const path = `/v1/cases/${own?.caseNumber}/hashes`
  const answer = await scene.ask(at, {
    method: 'POST',
    path,
    key: own?.token ?? '',
    json: { adult: true, ...(isVideo(hash) ? { videos: [filmOf(hash, scene.hashOf)] } : { images: [{ signals }] }) },
  })
  const added = CaseImages.safeParse(answer.json).data
  const id = (isVideo(hash) ? added?.videos : added?.images)?.[0]?.imageId
  if (id !== undefined) scene.ids.set(thingName({ home, hash }), id)
  return answer
}

async function addToBank(scene: Scene, { at, home, hash, way, reviewed }: StepOf<'register'>): Promise<Answer> {
  const hex = scene.hashOf(hash)
  const bank = scene.bankName(home)
  if (way === 'hma') return addByHma(scene, { at, home, hash })
  if (way === 'json') {
    const answer = await scene.ask(at, {
      method: 'POST',
      path: `/v1/banks/${bank}/signals`,
      key: scene.keys.owner,
      json: { adult: true, signals: [pdq(hex)] },
    })
    const id = BankSignals.safeParse(answer.json).data?.signals[0]?.signalId
    if (id !== undefined) scene.ids.set(thingName({ home, hash }), id)
    return answer
  }
  const line =
    way === 'csv' ? `pdq,${hex},c,${reviewed ? 'POSITIVE_CLASS' : 'INVESTIGATION_SEED'},` : ndjsonOf(hex, reviewed)
  return sendFile(scene, at, home, way === 'csv' ? `signal_type,signal_str,collab,category,tags\n${line}\n` : `${line}\n`)
}

export function ndjsonOf(hash: string, reviewed = true, more: object = {}): string {
  return JSON.stringify({ ...pdq(hash), ...(!reviewed && { tier: 'self-reported' }), ...more })
}

export async function addByHma(scene: Scene, ref: Ref & { readonly at: Api }): Promise<Answer> {
  const path = `/c/bank/${scene.bankName(ref.home)}/signal`
  const answer = await scene.ask(ref.at, {
    method: 'POST',
    path,
    key: scene.keys.owner,
    json: { pdq: scene.hashOf(ref.hash) },
  })
  const content = Content.safeParse(answer.json)
  if (content.success) scene.contentIds.set(thingName(ref), content.data.id)
  return answer
}

export function sendFile(scene: Scene, at: Api, home: string, body: string): Promise<Answer> {
  const headers = { 'content-type': 'application/octet-stream' }
  return scene.ask(at, {
    method: 'POST',
    path: `/v1/banks/${scene.bankName(home)}/imports`,
    key: scene.keys.owner,
    headers,
    body,
  })
}

/** Where the id of a thing is not known, registering it again returns it. */
export async function idOf(scene: Scene, at: Api, ref: Ref): Promise<string | undefined> {
  const known = scene.ids.get(thingName(ref))
  const thing = thingAt(scene.model, ref)
  if (known !== undefined || thing === undefined || !mayBeHandedInAgain(scene, thing)) return known
  await register(scene, { do: 'register', at, way: 'json', reviewed: true, ...ref })
  return scene.ids.get(thingName(ref))
}

export async function contentIdOf(scene: Scene, at: Api, ref: Ref): Promise<number | undefined> {
  const known = scene.contentIds.get(thingName(ref))
  const thing = thingAt(scene.model, ref)
  if (known !== undefined || thing === undefined || !mayBeHandedInAgain(scene, thing)) return known
  await register(scene, { do: 'register', at, way: 'hma', reviewed: true, ...ref })
  return scene.contentIds.get(thingName(ref))
}

/** Only where this changes nothing but its tier. */
function mayBeHandedInAgain({ cases, noted, bankName }: Scene, thing: Thing): boolean {
  const isBanks = !cases.has(thing.home) && bankName(thing.home) !== ''
  return isBanks && thing.presence === 'there' && thing.dispute !== 'upheld' && !noted.has(thingName(thing))
}

export async function remove(scene: Scene, step: StepOf<'remove'>): Promise<Api | undefined> {
  const { at, way, home } = step
  const thing = thingAt(scene.model, step)
  if (thing === undefined || !isOpen(scene, home) || scene.cases.has(home)) return undefined
  const bank = scene.bankName(home)
  const key = scene.keys.owner
  let answer: Answer | undefined
  if (way === 'hma') {
    const content = await contentIdOf(scene, at, step)
    if (content !== undefined)
      answer = await scene.ask(at, { method: 'DELETE', path: `/c/bank/${bank}/content/${content}`, key })
  } else if (way === 'tombstone') {
    answer = await sendFile(scene, at, home, `${ndjsonOf(scene.hashOf(step.hash), true, { deleted: true })}\n`)
    // It is found by its hash as it was registered; with another note it may be another one.
    if (isDone(answer) && scene.noted.has(thingName(step))) {
      removed(thing, false)
      return undefined
    }
  } else {
    const id = await idOf(scene, at, step)
    if (id !== undefined && way === 'delete')
      answer = await scene.ask(at, { method: 'DELETE', path: `/v1/banks/${bank}/signals/${id}`, key })
    if (id !== undefined && way === 'tombstone-id')
      answer = await sendFile(scene, at, home, `${JSON.stringify({ signalId: id, deleted: true })}\n`)
  }
  if (answer === undefined) return undefined
  return await afterRemoval(scene, thing, at, answer)
}

async function afterRemoval(scene: Scene, thing: Thing, at: Api, answer: Answer): Promise<Api | undefined> {
  const name = thingName(thing)
  const isUnknown = codeOf(answer) === 'signal-unknown'
  if (isUnknown && thing.presence === 'there') scene.broken('removal-by-identity', `${name} is there and cannot be removed`)
  if (!isDone(answer) && !isUnknown) refuseOdd(scene, `removing ${name}`, answer)
  removed(thing, isDone(answer) || isUnknown)
  scene.noted.delete(name)
  scene.contentIds.delete(name)
  if (isDone(answer)) await checkErased(scene, name)
  return isDone(answer) ? at : undefined
}

export async function note(scene: Scene, step: StepOf<'note'>): Promise<Api | undefined> {
  const { at, home, text } = step
  const thing = thingAt(scene.model, step)
  const content = thing?.presence === 'there' && isOpen(scene, home) ? await contentIdOf(scene, at, step) : undefined
  if (content === undefined || thing === undefined) return undefined
  const path = `/c/bank/${scene.bankName(home)}/content/${content}`
  const answer = await scene.ask(at, { method: 'PUT', path, key: scene.keys.owner, json: { note: text } })
  if (isDone(answer) || isUnsure(answer)) scene.noted.add(thingName(step))
  else if (thing.dispute !== 'upheld') refuseOdd(scene, `noting something about ${thingName(step)}`, answer)
  return isDone(answer) ? at : undefined
}

export async function withdraw(scene: Scene, { at, home }: StepOf<'withdraw'>): Promise<Api | undefined> {
  const own = scene.cases.get(home)
  if (own === undefined) return undefined
  const answer = await scene.ask(at, { method: 'DELETE', path: `/v1/cases/${own.caseNumber}`, key: own.token })
  if (!isDone(answer) && !isUnsure(answer) && isOpen(scene, home)) refuseOdd(scene, `withdrawing ${home}`, answer)
  if (isDone(answer) || isUnsure(answer)) homeEnded(scene.model, home, isDone(answer))
  if (!isDone(answer)) return undefined
  for (const thing of thingsIn(scene.model, home)) await checkErased(scene, thingName(thing))
  return at
}

export async function submit(scene: Scene, { at, hash }: StepOf<'submit'>): Promise<Api | undefined> {
  const json = { hashRecords: [{ signalType: 'ImagePDQ', hashValue: scene.hashOf(hash) }] }
  const answer = await stopNcii(scene, at, '/SubmitHashes', json)
  const ref = { home: 'stopncii', hash }
  if (isTaken(answer)) {
    registered(scene.model, ref, 'ngo-attested', true)
    scene.model.homes.set('stopncii', 'there')
    if (scene.stopNciiBank === '') scene.stopNciiBank = await ownStopNciiBank(scene, at)
  }
  if (isUnsure(answer)) registered(scene.model, ref, 'ngo-attested', false)
  else if (!isDone(answer)) refuseOdd(scene, `submitting ${hash}`, answer)
  return isTaken(answer) ? at : undefined
}

export async function takeBack(scene: Scene, { at, hash }: StepOf<'take-back'>): Promise<Api | undefined> {
  const thing = thingAt(scene.model, { home: 'stopncii', hash })
  if (thing === undefined || thing.presence === 'gone') return undefined
  const json = { hashFeedbacks: [{ hashValue: scene.hashOf(hash), feedbackValue: 'Withdrawn' }] }
  const answer = await stopNcii(scene, at, '/SubmitFeedback', json)
  if (isDone(answer) && !isTaken(answer) && thing.presence === 'there')
    scene.broken(
      'removal-by-identity',
      `${thingName(thing)} is registered, and Withdrawn was refused: ${answer.text.slice(0, 120)}`,
    )
  if (!isDone(answer)) refuseOdd(scene, `Withdrawn of ${hash}`, answer)
  removed(thing, isTaken(answer))
  if (isTaken(answer)) await checkErased(scene, thingName(thing))
  return isTaken(answer) ? at : undefined
}

async function ownStopNciiBank(scene: Scene, at: Api): Promise<string> {
  const answer = await scene.ask(at, { method: 'GET', path: '/v1/banks', key: scene.keys.owner })
  const banks = OwnBanks.safeParse(answer.json).data?.banks ?? []
  return banks.find(({ bank, own }) => own && bank.startsWith('stopncii-'))?.bank ?? ''
}

const Taken = z.object({ accepted: z.literal(1) })
const isTaken = (answer: Answer) => isDone(answer) && Taken.safeParse(answer.json).success

function stopNcii(scene: Scene, at: Api, path: string, json: unknown): Promise<Answer> {
  return scene.ask(at, {
    method: 'POST',
    path: `/stopncii/v1${path}`,
    headers: { 'x-functions-key': scene.keys.owner },
    json,
  })
}

export function isOpen({ model }: Scene, home: string): boolean {
  return model.homes.get(home) === 'there'
}

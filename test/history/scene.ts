// One run of an episode: its own names and organisations, and the model of what was promised.

import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OrgKind, Scope } from '../../src/domain/organisations/access.js'
import { createApiKey } from '../../src/services/keys/access.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { type Answer, type Call, call, isUnsure } from './calls.js'
import { emptyModel, type Model } from './model.js'
import type { Listener } from './perform-webhooks.js'
import { type PromiseName, Violation } from './promises.js'
import type { Api, Ref } from './steps.js'
import type { World } from './world.js'

/** A case as its holder knows it. */
export interface OwnCase {
  readonly caseNumber: string
  readonly token: string
}

export interface Keys {
  /** An NGO with banks. */
  readonly owner: string
  readonly secondNgo: string
  readonly platform: string
  readonly operator: string
  /** A platform that queries everything and gives no feedback. */
  readonly watcher: string
}

export interface Scene {
  readonly world: World
  readonly keys: Keys
  model: Model
  /** As they were when the backup was made. */
  backup: { readonly path: string; readonly model: Model } | undefined
  readonly cases: Map<string, OwnCase>
  /** Image id and HMA's content id of a thing. */
  readonly ids: Map<string, string>
  readonly contentIds: Map<string, number>
  readonly noted: Set<string>
  /** Hashes that the platform watches for; things that were registered since and not checked; how often it was told of each thing. */
  readonly watched: Set<string>
  readonly untold: Set<string>
  readonly told: Map<string, number>
  /** A platform with a webhook. */
  listener: Listener | undefined
  /** By how much [s] Redis's clock is ahead during steps; when promises are checked it is right. */
  redisAheadS: number
  /** Pauses, by image id: when they end, and when by Redis's clock [epoch ms]. */
  readonly pauses: Map<string, { readonly endsMs: number; readonly movedMs: number }>
  /** Called when the episode has ended. */
  readonly endings: (() => unknown)[]
  /** The position of the fetcher of StopNCII's interface. */
  fetchedUntilS: number
  /** Whether the replica is lost: then no write to Redis can be relied on. */
  isDegraded: boolean
  /** Name of the bank for submissions by StopNCII's interface; empty until there was one. */
  stopNciiBank: string
  /** Names of hashes that were registered by the thousand. */
  readonly groups: Map<string, string[]>
  readonly random: () => number
  /** The hash of a name, in this run only. */
  hashOf(name: string): string
  bankName(home: string): string
  /** The given API, or the other one if it is suspended. */
  asked(at: Api): Api
  ask(at: Api, request: Call): Promise<Answer>
  /** Reports a broken promise. Returns if it is to be ignored. */
  broken(promise: PromiseName, what: string): void
  ignores(promise: PromiseName): boolean
  nowS(): number
  /** A key of a new organisation. */
  newKey(name: string, kind: OrgKind, scopes: readonly Scope[]): Promise<string>
}

export const thingName = ({ home, hash }: Ref) => `${home}:${hash}`

const READY_TIMEOUT_MS = 30_000

export async function openScene(
  world: World,
  random: () => number,
  ignored: ReadonlySet<PromiseName>,
  watcher: string,
): Promise<Scene> {
  const nonce = randomBytes(6).toString('hex')
  const hashes = new Map<string, string>()
  const newKey = (name: string, kind: OrgKind, scopes: readonly Scope[]) => makeKey(world, `${name} ${nonce}`, kind, scopes)
  const [owner, secondNgo, platform, operator] = await Promise.all([
    newKey('owner', 'ngo', ['signals:write', 'match', 'feedback', 'feed']),
    newKey('second', 'ngo', ['match', 'feedback']),
    newKey('platform', 'platform', ['match', 'feedback']),
    newKey('operator', 'ngo', ['admin']),
  ])
  const ask = (at: Api, request: Call) => call(world.apis[at].url, request)
  const scene: Scene = {
    world,
    keys: { owner, secondNgo, platform, operator, watcher },
    model: emptyModel(),
    backup: undefined,
    cases: new Map(),
    ids: new Map(),
    contentIds: new Map(),
    noted: new Set(),
    watched: new Set(),
    untold: new Set(),
    told: new Map(),
    listener: undefined,
    redisAheadS: 0,
    pauses: new Map(),
    endings: [],
    fetchedUntilS: 10,
    isDegraded: false,
    stopNciiBank: '',
    groups: new Map(),
    random,
    hashOf(name) {
      const known = hashes.get(name)
      if (known !== undefined) return known
      const made = createHash('sha256').update(`${nonce} ${name}`).digest('hex')
      hashes.set(name, made)
      return made
    },
    bankName: (home) => (home === 'stopncii' ? scene.stopNciiBank : `${home}-${nonce}`),
    asked: (at) => (world.stopped.has(at) ? (at === 0 ? 1 : 0) : at),
    ask,
    broken(promise, what) {
      if (!ignored.has(promise)) throw new Violation(promise, what)
    },
    ignores: (promise) => ignored.has(promise),
    nowS: () => Date.now() / 1000 + world.clock.offsetS,
    newKey,
  }
  for (const key of [owner, secondNgo, platform, operator]) await untilKnown(scene, key)
  return scene
}

/** A key works at once where it was made, and within a second elsewhere. */
async function untilKnown(scene: Scene, key: string): Promise<void> {
  for (const at of [0, 1] as const) {
    const endMs = performance.now() + READY_TIMEOUT_MS
    for (;;) {
      const { status } = await scene.ask(at, { method: 'GET', path: '/v1/matches/none', key })
      if (status !== 401 && status !== 0 && status !== 503) break
      if (performance.now() > endMs) return scene.broken('ready-again', `${nameOf(at)} does not know a new key: ${status}`)
      await sleep(5)
    }
  }
}

export async function makeKey(world: World, org: string, kind: OrgKind, scopes: readonly Scope[]): Promise<string> {
  const store = await openStore(world.target)
  try {
    return (
      await createApiKey(createApiKeyStore(store), { org, kind, scopes: new Set(scopes), env: 'test', nowMs: Date.now() })
    ).key
  } finally {
    await store.close()
  }
}

export const nameOf = (at: Api) => `API ${'AB'[at]}`

/** Waits until an API answers about hashes. */
export async function untilReady(scene: Scene, at: Api): Promise<void> {
  const endMs = performance.now() + READY_TIMEOUT_MS
  let last = ''
  for (;;) {
    const answer = await scene.ask(at, { method: 'GET', path: '/health/ready' })
    if (answer.status === 200) return
    last = answer.text.slice(0, 400)
    if (performance.now() > endMs) break
    await sleep(20)
  }
  throw new Violation('ready-again', `${nameOf(at)} is not ready after ${READY_TIMEOUT_MS / 1000} s: ${last}`)
}

/** Reports an answer that no route documents and no fault causes. */
export function refuseOdd(scene: Scene, what: string, answer: Answer): void {
  if (!isUnsure(answer)) scene.broken('answers', `${what} was answered with ${answer.status}: ${answer.text.slice(0, 160)}`)
}

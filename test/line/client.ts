// Each operation of the client × each fault, against a model: what the same operation does on a good line.

import { setTimeout as sleep } from 'node:timers/promises'
import { OPERATIONS } from '../../packages/client/src/operations.generated.js'
import {
  type Answer,
  type Args,
  type OperationId,
  TabirProblem,
  tabirClient,
} from '../../packages/client/src/tabir-client.js'
import { OF_ACCOUNTS } from './account-operations.js'
import { OF_CASES } from './case-operations.js'
import { type ClientWorld, openClientWorld, type Trial } from './client-world.js'
import { FAULTS, type Fault } from './faults.js'
import { startProxy } from './proxy.js'
import { READING } from './reading-operations.js'
import { type LineCase, runLine } from './run.js'

/** One at a time: some lists are those of a whole organisation. */
const LANES = 1
const SPECS: { readonly [Op in OperationId]: (at: ClientWorld) => Promise<Trial<Op>> } = {
  ...READING,
  ...OF_ACCOUNTS,
  ...OF_CASES,
}

const KEY = 'idempotency-key'

/** What repeats a request by itself until it is answered. The others are told of the fault: they might be done twice. */
const AGAIN: readonly OperationId[] = ['match', 'matchImages', 'matchVideo', 'addSignals']
const isRepeated = (operation: OperationId) =>
  OPERATIONS[operation].method !== 'POST' || OPERATIONS[operation].keyed || AGAIN.includes(operation)

await runLine(async (wanted) => {
  const at = await openClientWorld()
  const models = new Map<OperationId, Promise<Walked>>()
  const modelOf = (operation: OperationId) => {
    const made = models.get(operation) ?? walk(at, operation, undefined)
    models.set(operation, made)
    return made
  }
  const cases: LineCase[] = []
  for (const operation of operations().filter(wanted)) {
    for (const fault of FAULTS) {
      const run = async () => {
        const walked = await walk(at, operation, fault)
        return { found: judged(operation, fault, await modelOf(operation), walked), isHit: walked.isHit }
      }
      cases.push({ name: `${operation} / ${fault}`, run })
    }
  }
  return { cases, lanes: LANES, maxUnasked: 0, close: at.close }
})

function operations(): OperationId[] {
  return Object.keys(SPECS).filter((id): id is OperationId => id in OPERATIONS)
}

interface Walked {
  readonly isHit: boolean
  readonly before: string
  readonly after: string
  readonly shape: string | undefined
  /** Why it was rejected. */
  readonly error: unknown
  readonly wrong: string | undefined
  /** Where it was rejected: how it stands when the same was asked once more, on a good line. */
  readonly repeated: { readonly after: string; readonly wrong: string | undefined } | undefined
}

async function walk<Op extends OperationId>(at: ClientWorld, operation: Op, fault: Fault | undefined): Promise<Walked> {
  const trial: Trial<Op> = await SPECS[operation](at)
  const state = async () => JSON.stringify((await trial.state?.()) ?? null)
  const before = await state()
  const proxy = await startProxy(at.world.url)
  try {
    const given: unknown = Reflect.get(trial.args, 'body')
    const copy = given instanceof FormData ? { ...trial.args, body: given } : trial.args
    proxy.begin(fault === undefined ? undefined : { request: '*', fault })
    const again: { key?: string } = {}
    const outcome = await outcomeOf(() => throughProxy(proxy, trial, operation, copy, again))
    const isHit = proxy.isHit()
    proxy.release()
    for (let i = 0; i < 1000 && proxy.busy() > 0; i++) await sleep(5)
    const wrong = 'value' in outcome ? await trial.check?.(outcome.value) : await trial.checkRejected?.()
    const after = await state()
    if ('value' in outcome)
      return { isHit, before, after, shape: await shapeOf(outcome.value), error: undefined, wrong, repeated: undefined }
    const once = await outcomeOf(() => withKey(at.world.url, trial, again.key).call(operation, trial.args))
    const wrongThen = 'value' in once ? await trial.check?.(once.value) : notSaid(once.error, trial.repeatSays)
    return {
      isHit,
      before,
      after,
      shape: undefined,
      error: outcome.error,
      wrong,
      repeated: { after: await state(), wrong: wrongThen },
    }
  } finally {
    proxy.release()
    await proxy.close()
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { error }
  }
}

/** No test waits for a time-out: what is late is given up when it is known to be. A file is read to its end. */
async function throughProxy<Op extends OperationId>(
  proxy: Awaited<ReturnType<typeof startProxy>>,
  { by: { key } }: Trial<Op>,
  operation: Op,
  args: Args<Op>,
  again: { key?: string },
): Promise<Answer<Op>> {
  const { call } = tabirClient({
    url: proxy.url,
    ...(key !== undefined && { key }),
    wait: async () => {},
    fetch: (to, init) => {
      const idempotencyKey = new Headers(init?.headers).get(KEY)
      if (idempotencyKey !== null) again.key = idempotencyKey
      const late = new AbortController()
      proxy.onHold(() => late.abort(new DOMException('too long', 'TimeoutError')))
      return fetch(to, { ...init, signal: late.signal })
    },
  })
  const answer: unknown = await call(operation, args)
  if (!(answer instanceof Response)) return answer as Answer<Op>
  const text = await answer.text()
  return new Response(text, answer) as Answer<Op>
}

/** On a good line, with the Idempotency-Key of the first try where it had one. */
function withKey<Op extends OperationId>(url: string, { by: { key } }: Trial<Op>, idempotencyKey: string | undefined) {
  return tabirClient({
    url,
    ...(key !== undefined && { key }),
    fetch: (to, init) => {
      const headers = new Headers(init?.headers)
      if (idempotencyKey !== undefined) headers.set(KEY, idempotencyKey)
      return fetch(to, { ...init, headers })
    },
  })
}

/** Refused the second time is right where it was done the first time; the state shows that it was. Without a reason of ours it is not. */
function notSaid(error: unknown, reasons?: readonly string[]): string | undefined {
  const code = error instanceof TabirProblem ? error.problem?.code : undefined
  return code !== undefined && reasons?.includes(code) !== false ? undefined : `asked once more: ${String(error)}`
}

async function shapeOf(answer: unknown): Promise<string> {
  if (answer instanceof Response) return `${answer.status} ${answer.headers.get('content-type')}`
  return JSON.stringify(namesIn(answer))
}

function namesIn(value: unknown): unknown {
  if (Array.isArray(value)) return []
  if (typeof value !== 'object' || value === null) return value === undefined ? 'nothing' : ''
  return Object.keys(value).toSorted()
}

function judged(operation: OperationId, fault: Fault, model: Walked, walked: Walked): string | undefined {
  const { before, after, shape, error, wrong, repeated } = walked
  if (model.error !== undefined) return `without a fault: ${String(model.error)}`
  if (model.wrong !== undefined) return `without a fault: ${model.wrong}`
  if (before !== model.before) return `it began with ${before}, and not with ${model.before}`
  const isForged = fault === '204 of a proxy' && OPERATIONS[operation].answer === 'nothing' // it is the very answer of the service
  if (wrong !== undefined && !isForged) return wrong
  if (repeated === undefined) {
    if (shape !== model.shape) return `it resolved with ${shape}, and not with ${model.shape}`
    return after === model.after || (isForged && after === model.before) ? undefined : `it resolved, and stands at ${after}`
  }
  if (after !== model.before && after !== model.after) return `rejected, it stands at ${after}`
  if (repeated.wrong !== undefined) return repeated.wrong
  if (repeated.after !== model.after) return `repeated, it stands at ${repeated.after}, and not at ${model.after}`
  // What another try will not change, and what an answer said that came because the same had been sent before.
  const isFinal = fault === '403 of a proxy' || (fault.startsWith('sent twice') && notSaid(error) === undefined)
  return isRepeated(operation) && !isFinal ? `it was rejected, and might have been repeated: ${String(error)}` : undefined
}

// Whatever a connection or a proxy does to requests and answers, the page shows of an image what the server holds.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Usable } from '../../page/choosing/picture.js'
import type { FileSignal } from '../../page/hashing/outcome.js'
import { type Result, sender } from '../../page/sending/sender.js'
import { runs } from '../helpers/runs.js'

const ACCESS = { caseNumber: 'TBR-0000-0000-0000', token: 'token' }
const HTML = '<html>Blocked</html>'

/** What happens to one request. `lost`: the server processed it and its answer never arrived. */
const FAULTS = {
  none: {},
  dropped: { reaches: false },
  lost: { answers: false },
  cut: { cuts: true },
  'proxy 403': { reaches: false, status: 403 },
  'proxy 408': { reaches: false, status: 408 },
  'proxy 429, retry at once': { reaches: false, status: 429, retryAfter: '0' },
  'proxy 429 after the server had it': { status: 429 },
  'proxy 502 after the server had it': { status: 502 },
  'server 500': { reaches: false, status: 500 },
  'server busy': { reaches: false, status: 503, code: 'overloaded' },
  'server still at it': { reaches: false, status: 503, code: 'idempotency-key-busy' },
  'server has another body': { status: 422, code: 'idempotency-key-reused' },
} as const satisfies Record<string, Fault>
type FaultName = keyof typeof FAULTS

interface Fault {
  readonly reaches?: boolean
  readonly answers?: boolean
  readonly cuts?: boolean
  readonly status?: number
  readonly retryAfter?: string
  readonly code?: string
}

/** How the server handles an image, whatever the connection does. */
type Nature =
  | 'good'
  | 'held'
  | 'harmless'
  | 'plain'
  | 'file'
  | 'file-video'
  | 'file-unreadable'
  | 'file-refused'
  | 'file-broken'
const NATURES: readonly Nature[] = [
  'good',
  'held',
  'harmless',
  'plain',
  'file',
  'file-video',
  'file-unreadable',
  'file-refused',
  'file-broken',
]

interface Outcome {
  readonly said: ReadonlyMap<number, Result['at']>
  readonly stored: ReadonlySet<string>
  readonly requests: number
  readonly isDone: boolean
}

t.test('the page shows the true state of each image, whatever happens to requests', async (t) => {
  const world = fakeBrowser(t)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...NATURES), { minLength: 1, maxLength: 24 }),
      fc.array(fc.constantFrom(...(Object.keys(FAULTS) as FaultName[])), { maxLength: 12 }),
      async (natures, faults) => {
        const { said, stored } = await world.run(natures, faults)
        for (const [id, nature] of natures.entries()) {
          const expected =
            nature === 'good' || nature === 'file' || nature === 'file-video'
              ? ['protected', 'failed']
              : nature === 'held'
                ? ['held', 'failed']
                : ['refused', 'failed']
          assert.ok(expected.includes(said.get(id) ?? ''), `${nature} is reported as ${said.get(id)}`)
          if (said.get(id) === 'protected' || said.get(id) === 'held') assert.ok(stored.has(`${id}`), `${nature} is stored`)
        }
        assert.equal(said.size, natures.length, 'every picture has an outcome')
      },
    ),
    { numRuns: runs(50) },
  )
})

t.test('an image that the server never accepts does not hold up the others', async (t) => {
  const world = fakeBrowser(t)
  const { said } = await world.run(['file-broken', 'good', 'file', 'harmless', 'good'], [])
  t.same([...said].sort(), [
    [0, 'failed'],
    [1, 'protected'],
    [2, 'protected'],
    [3, 'refused'],
    [4, 'protected'],
  ])
})

t.test('a passing fault is retried however often it comes, and a lost answer duplicates nothing', async (t) => {
  const world = fakeBrowser(t)
  for (const fault of ['dropped', 'lost', 'cut', 'proxy 429, retry at once', 'proxy 408'] as const) {
    const outcome = await world.run(
      ['good', 'good'],
      Array.from({ length: 8 }, () => fault),
    )
    t.match(outcome, { isDone: true, requests: 9 }, fault)
    t.ok(outcome.said.get(0) === 'protected' && outcome.said.get(1) === 'protected', fault)
    t.ok(world.waitedMs() >= 60_000, `${fault}: with patience, ${world.waitedMs()} ms`)
  }
})

t.test('a file is not given up while the server is busy, also with an earlier try', async (t) => {
  const world = fakeBrowser(t)
  for (const fault of ['server busy', 'server still at it'] as const)
    for (const file of ['file', 'file-video'] as const) {
      const outcome = await world.run([file], Array<FaultName>(8).fill(fault))
      t.match([outcome.isDone, outcome.requests, outcome.said.get(0)], [true, 9, 'protected'], `${file}: ${fault}`)
    }
})

t.test('a picture is sent with a new key when the server took its key for another request', async (t) => {
  const world = fakeBrowser(t)
  const { said, isDone } = await world.run(['good', 'file'], ['server has another body', 'server has another body'])
  t.same([isDone, said.get(0), said.get(1)], [true, 'protected', 'protected'])
  const refusing = await world.run(['file'], Array<FaultName>(20).fill('server has another body'))
  t.match([refusing.said.get(0), refusing.requests < 20], ['failed', true], 'never as refused, and not for ever')
})

/** A page's `fetch` and `XMLHttpRequest`, with a server behind them that supports idempotency keys. */
function fakeBrowser(t: Test) {
  let faults: FaultName[] = []
  let requests = 0
  let nowMs = 0
  let answers = new Map<string, string>()
  let stored = new Set<string>()

  const serve = (key: string, images: readonly { readonly id: string; readonly nature: Nature }[]) => {
    const known = answers.get(key)
    if (known !== undefined) return { status: 201, body: known }
    const added = images.map(({ id, nature }) => {
      if (nature === 'harmless') return { state: 'refused', problem: { code: 'known-harmless' } }
      if (nature === 'plain') return { state: 'refused', problem: { code: 'quality-too-low' } }
      if (nature === 'file-refused') return { state: 'refused', problem: { code: 'image-undecodable' } }
      return { id, quality: 90, state: nature === 'held' ? 'held' : 'registered' }
    })
    if (added.every(({ state }) => state === 'refused')) {
      const code = added[0]?.problem?.code
      return { status: 422, body: JSON.stringify({ code }) }
    }
    for (const { id } of added) if (id !== undefined) stored.add(id)
    const body = JSON.stringify({ images: added })
    answers.set(key, body)
    return { status: 201, body }
  }

  /** @returns `undefined` when no answer arrives. */
  const transport = (key: string, images: readonly { readonly id: string; readonly nature: Nature }[]) => {
    requests++
    if (images.some(({ nature }) => nature === 'file-broken')) return { status: 403, body: HTML, retryAfter: null }
    const fault: Fault = FAULTS[faults.shift() ?? 'none']
    const answer = fault.reaches === false ? undefined : serve(key, images)
    const body = fault.code === undefined ? HTML : JSON.stringify({ code: fault.code })
    if (fault.status !== undefined) return { status: fault.status, body, retryAfter: fault.retryAfter ?? null }
    if (answer === undefined || fault.answers === false) return undefined
    return { ...answer, body: fault.cuts ? answer.body.slice(0, answer.body.length / 2) : answer.body, retryAfter: null }
  }

  t.intercept(globalThis, 'navigator', { value: { onLine: true }, configurable: true })
  t.intercept(globalThis, 'fetch', {
    value: async (
      path: string,
      { method, headers, body }: { method: string; headers: Record<string, string>; body: string },
    ) => {
      if (method === 'GET') return Response.json({ images: stored.size })
      assert.match(path, /\/hashes$/)
      const { images }: { images: { signals: FileSignal[] }[] } = JSON.parse(body)
      const answer = transport(
        headers['idempotency-key'] ?? '',
        images.map(({ signals }) => JSON.parse(signals[0]?.hash ?? '')),
      )
      if (answer === undefined) throw new TypeError('Failed to fetch')
      const retry = answer.retryAfter === null ? {} : { 'retry-after': answer.retryAfter }
      return new Response(answer.body, { status: answer.status, headers: retry })
    },
  })
  t.intercept(globalThis, 'XMLHttpRequest', { value: fakeRequest(transport), configurable: true })

  return {
    waitedMs: () => nowMs,
    async run(natures: readonly Nature[], script: readonly FaultName[]): Promise<Outcome> {
      faults = [...script]
      requests = 0
      nowMs = 0
      answers = new Map()
      stored = new Set()
      const said = new Map<number, Result['at']>()
      const send = sender(
        { access: ACCESS, pictures: natures.map(usable), category: undefined, maxBytes: { pictures: 1000, videos: 1000 } },
        { settled: (id, { at }) => said.set(id, at), held() {} },
        {
          now: () => nowMs,
          until: async (ms) => {
            nowMs += ms
          },
        },
      )
      const isDone = await send()
      return { said, stored, requests, isDone }
    },
  }
}

function usable(nature: Nature, id: number): Usable {
  const name = JSON.stringify({ id: `${id}`, nature })
  if (!nature.startsWith('file')) {
    const signals: FileSignal[] = [{ type: 'pdq', view: 'whole', quality: 90, hash: name }]
    return { id, name, hashed: { kind: 'hashed', quality: 90, signals } }
  }
  const file = new File([name], name)
  if (nature === 'file-unreadable') file.slice = () => unreadable()
  return { id, name, file, kind: nature === 'file-video' ? 'videos' : 'pictures' }
}

function unreadable(): Blob {
  const blob = new Blob([])
  blob.arrayBuffer = () => Promise.reject(new DOMException('gone', 'NotReadableError'))
  return blob
}

type Transport = (
  key: string,
  images: readonly { readonly id: string; readonly nature: Nature }[],
) => { readonly status: number; readonly body: string; readonly retryAfter: string | null } | undefined

function fakeRequest(transport: Transport) {
  return class extends EventTarget {
    readonly upload = new EventTarget()
    status = 0
    responseText = ''
    #key = ''
    #retryAfter: string | null = null
    open(): void {}
    setRequestHeader(name: string, value: string): void {
      if (name === 'idempotency-key') this.#key = value
    }
    getResponseHeader(): string | null {
      return this.#retryAfter
    }
    async send(form: FormData): Promise<void> {
      const video = form.get('video')
      const part = video ?? form.get('image')
      assert.ok(part instanceof Blob)
      const image: { id: string; nature: Nature } = JSON.parse(await part.text())
      const answer = image.nature === 'file-unreadable' ? undefined : transport(this.#key, [image])
      this.status = answer?.status ?? 0
      const body = answer?.body ?? ''
      this.responseText = video === null ? body : body.replace('{"images":[', '{"video":').replace(/\]\}$/, '}')
      this.#retryAfter = answer?.retryAfter ?? null
      this.dispatchEvent(new Event('loadend'))
    }
  }
}

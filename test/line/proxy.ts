// A proxy before the service, which does one thing wrong, once. It keeps no connection: on one that is kept, a browser repeats a request by
// itself, and the page would not see the fault.

import { once } from 'node:events'
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, replacementIn } from './faults.js'

export interface Plan {
  /** As in `seen`, or `*` for the first. */
  readonly request: string
  readonly fault: Fault
}

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

export interface FaultyProxy {
  readonly url: string
  /** Requests since `begin`, each with its place among its like, `GET /v1/cases/…/export 2`, in their order. */
  readonly seen: readonly string[]
  /** Begins to count, and does what is planned to that request. */
  begin(plan: Plan | undefined): void
  isHit(): boolean
  /** What somebody else does at that moment. */
  whenHit(act: (asked: Asked) => Promise<void>): void
  /** Is there something that is late? */
  isHolding(): boolean
  /** Told of what is late. */
  onHold(tell: () => void): void
  /** Lets go of it. */
  release(): void
  /** Requests under way, without streams of events. */
  busy(): number
  close(): Promise<void>
}

const SLOW_MS = 150
const PORTAL = '<!doctype html><html><head><title>Sign in</title></head><body><h1>Sign in to this network</h1></body></html>'

export async function startProxy(target: string): Promise<FaultyProxy> {
  let plan: Plan | undefined
  let isHit = false
  let meanwhile: (asked: Asked) => Promise<void> = async () => {}
  let seen: string[] = []
  let held: (() => void)[] = []
  let tellHold = () => {}
  const under = new Set<ServerResponse>()
  /** Of its own, so that none of its connections keeps the service from closing. */
  const agent = new Agent({ keepAlive: true })

  const server = createServer((request, response) => {
    under.add(response)
    const isOver = handle(request, response).catch(() => void response.destroy())
    void Promise.all([isOver, once(response, 'close')]).then(() => under.delete(response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.shouldKeepAlive = false
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const asked: Asked = {
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: { ...request.headers, host: new URL(target).host, connection: 'keep-alive' },
      body: Buffer.concat(pieces),
    }
    const kind = kindOf(asked)
    const name = `${kind} ${seen.filter((each) => each.startsWith(`${kind} `)).length + 1}`
    seen.push(name)
    if (plan === undefined || isHit || (plan.request !== name && plan.request !== '*'))
      return pass(await forward(asked), response)
    isHit = true
    await meanwhile(asked)
    await spoil(plan.fault, asked, response)
  }

  async function spoil(fault: Fault, asked: Asked, response: ServerResponse): Promise<void> {
    const instead = replacementIn(fault)
    if (instead !== undefined) {
      if (instead.isDone) await done(await forward(asked))
      return replace(instead.status, response)
    }
    if (fault === 'request dropped') return void response.destroy()
    if (fault === 'answer dropped') {
      await done(await forward(asked))
      return void response.destroy()
    }
    if (fault === 'answer cut') return cut(await forward(asked), response)
    if (fault === 'slow') {
      await sleep(SLOW_MS)
      const answer = await forward(asked)
      await sleep(SLOW_MS)
      return pass(answer, response)
    }
    if (fault === 'answer late') {
      const answer = await forward(asked)
      await late()
      return pass(answer, response)
    }
    if (fault === 'request late') {
      await late()
      return pass(await forward(asked), response)
    }
    const both = fault === 'sent twice at once'
    const first = forward(asked).then(done)
    if (!both) await first
    const second = await forward(asked)
    await first
    return pass(second, response)
  }

  async function pass(answer: IncomingMessage, response: ServerResponse): Promise<void> {
    if (response.destroyed) return void (await done(answer)) // nobody waits for it any more
    if (isStream(answer)) under.delete(response)
    const { connection: _, ...headers } = answer.headers
    response.writeHead(answer.statusCode ?? 502, headers)
    response.flushHeaders()
    answer.pipe(response)
    answer.once('error', () => response.destroy())
    response.once('close', () => answer.destroy())
  }

  const late = () =>
    new Promise<void>((resolve) => {
      held.push(resolve)
      tellHold()
    })

  /** @returns the answer, once its head is there. */
  function forward({ method, path, headers, body }: Asked): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const forwarded = httpRequest(new URL(path, target), { method, headers, agent }, resolve)
      forwarded.once('error', reject)
      forwarded.end(body)
    })
  }

  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    get seen() {
      return seen
    },
    begin(next) {
      plan = next
      isHit = false
      seen = []
    },
    isHit: () => isHit,
    whenHit(act) {
      meanwhile = act
    },
    isHolding: () => held.length > 0,
    onHold(tell) {
      tellHold = tell
    },
    release() {
      for (const go of held) go()
      held = []
    },
    busy: () => under.size,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Without what differs from run to run. */
function kindOf({ method, path }: Asked): string {
  const plain = path
    .replace(/\?.*$/, '')
    .replace(/-[0-9a-f]{16}\./, '.')
    .replaceAll(/\/(TBR-[\w-]+|[\w-]*\d[\w-]{7,})(?=\/|$)/g, '/…')
  return `${method} ${plain}`
}

const isStream = ({ headers }: IncomingMessage) => headers['content-type']?.startsWith('text/event-stream') === true

/** Half of it, under a head that promises all of it. */
async function cut(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const { connection: _, ...headers } = answer.headers
  if (isStream(answer)) {
    response.writeHead(answer.statusCode ?? 502, headers)
    response.flushHeaders()
    await sleep(SLOW_MS)
    answer.destroy()
  } else {
    const body = await done(answer)
    if (body.length > 1) {
      response.writeHead(answer.statusCode ?? 502, headers)
      await new Promise((resolve) => response.write(body.subarray(0, body.length / 2), resolve))
      await sleep(5) // so that the half is there before the end
    }
  }
  response.destroy()
}

/** Reads it to its end. A stream of events has none. */
async function done(answer: IncomingMessage): Promise<Buffer> {
  if (isStream(answer)) {
    answer.destroy()
    return Buffer.alloc(0)
  }
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece)
  return Buffer.concat(pieces)
}

function replace(status: number, response: ServerResponse): void {
  if (status === 204) response.writeHead(204).end()
  else response.writeHead(status, { 'content-type': 'text/html', 'content-length': PORTAL.length }).end(PORTAL)
}

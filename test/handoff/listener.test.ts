import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { Blocks, type HeldImage } from '../../src/handoff/blocks.js'
import { listenForWorkers } from '../../src/handoff/listener.js'
import { formatAnswer, type HandoffAnswer } from '../../src/handoff/message.js'
import { PendingImages } from '../../src/handoff/pending-images.js'
import { visitHandoffs } from '../../src/handoff/visit.js'
import { IMAGE_TTL_MS } from '../../src/jobs/hash-image-job.js'
import { createPrivateClient } from '../../src/net/private-line.js'
import { until } from '../helpers/service.js'

const LONG_MS = 60_000
const REFUSED = formatAnswer({ problem: 'image-undecodable' })
const NO_TICKET = 'A'.repeat(43)

/** Remembers where each image waited. */
class WatchedBlocks extends Blocks {
  readonly #held: Buffer[] = []

  override hold(pieces: readonly Buffer[]): HeldImage {
    const held = super.hold(pieces)
    this.#held.push(...held.pieces)
    return held
  }

  areWiped(): boolean {
    return this.#held.every(isWiped)
  }
}

t.test('a picture is sent once, is overwritten where it waited, and is answered once', async (t) => {
  const { pendingImages, url } = await open(t)
  const image = Buffer.from('a picture')
  const { ticket, answer } = pendingImages.put(image)

  const given = await fetch(`${url}/${ticket}`)
  t.equal(given.status, 200)
  t.equal(given.headers.get('content-type'), 'application/octet-stream')
  t.equal(await given.text(), 'a picture')
  await until(() => isWiped(image))

  t.equal((await fetch(`${url}/${ticket}`)).status, 410)
  t.equal(await put(url, ticket, REFUSED), 204)
  t.equal(await put(url, ticket, REFUSED), 410)
  t.same(await answer, { problem: 'image-undecodable' })
})

t.test('a request without a valid ticket gets 410', async (t) => {
  const { pendingImages, url } = await open(t)
  const image = Buffer.from('a picture')
  const { ticket, cancel } = pendingImages.put(image)
  cancel()

  for (const path of ['', '/', NO_TICKET, ticket, `${ticket}?`, '__proto__', '..%2f', 'x'.repeat(5000)]) {
    t.equal((await fetch(`${url}/${path}`)).status, 410, path.slice(0, 50))
    t.equal(await put(url, path, REFUSED), 410, path.slice(0, 50))
  }
})

t.test('an answer before the picture was fetched is refused', async (t) => {
  const { pendingImages, url } = await open(t)
  const { ticket, answer } = pendingImages.put(Buffer.from('a picture'))

  t.equal(await put(url, ticket, REFUSED), 410)

  t.equal(await (await fetch(`${url}/${ticket}`)).text(), 'a picture')
  t.equal(await put(url, ticket, REFUSED), 204)
  t.same(await answer, { problem: 'image-undecodable' })
})

t.test('an invalid answer is refused, and a valid one may still follow', async (t) => {
  const { pendingImages, url } = await open(t)
  const { ticket, answer } = pendingImages.put(Buffer.from('a picture'))
  await (await fetch(`${url}/${ticket}`)).text()

  for (const garbage of ['', '{', 'null', '{"problem":"it-hurts"}', '[]', '['.repeat(100_000), '\0']) {
    t.equal(await put(url, ticket, garbage), 400, garbage.slice(0, 30))
  }
  t.equal(await put(url, ticket, 'x'.repeat(2 << 20)), 413, 'longer than any answer')

  t.equal(await put(url, ticket, REFUSED), 204)
  t.same(await answer, { problem: 'image-undecodable' })
})

t.test('only GET and PUT are allowed', async (t) => {
  const { pendingImages, url } = await open(t)
  const { ticket } = pendingImages.put(Buffer.from('a picture'))

  for (const method of ['POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']) {
    t.equal((await fetch(`${url}/${ticket}`, { method })).status, 405, method)
  }
  t.equal(await (await fetch(`${url}/${ticket}`)).text(), 'a picture', 'the ticket is still valid')
})

t.test('a picture whose fetch breaks off is overwritten', async (t) => {
  const { pendingImages, url, blocks } = await open(t)
  const { ticket } = pendingImages.put(largeImage())
  t.notOk(blocks.areWiped())

  const socket = await begin(url, ticket)
  socket.destroy()

  await until(() => blocks.areWiped())
  t.equal((await fetch(`${url}/${ticket}`)).status, 410, 'it is not given to another')
})

t.test('a lost worker is detected by its connection, before the time is up', async (t) => {
  const { pendingImages, url } = await open(t)
  const [first, second] = [pendingImages.put(Buffer.from('a picture')), pendingImages.put(Buffer.from('another'))]
  const untaken = Buffer.from('a third')
  const third = pendingImages.put(untaken)
  const worker = connect(Number(new URL(url).port), '127.0.0.1')
  const take = async (ticket: string, text: string) => {
    worker.write(`GET /${ticket} HTTP/1.1\r\nhost: x\r\n\r\n`)
    let seen = ''
    while (!seen.endsWith(text)) seen += String((await once(worker, 'data'))[0])
  }
  await take(first.ticket, 'a picture')
  await take(second.ticket, 'another')
  t.equal(await put(url, first.ticket, REFUSED), 204, 'answered over another connection')
  t.same(await first.answer, { problem: 'image-undecodable' })
  worker.destroy()
  await t.rejects(second.answer, { code: 'hashing-unavailable' })
  t.equal(pendingImages.size, 1, 'an untaken picture waits for another worker')
  t.notOk(isWiped(untaken))
  third.cancel()
  await t.rejects(third.answer)
})

t.test('a connection that sent a picture stays open longer than a picture may take', async (t) => {
  const { pendingImages, url } = await open(t)
  const { ticket } = pendingImages.put(Buffer.from('a picture'))

  const { headers } = await fetch(`${url}/${ticket}`)

  const [, seconds] = /^timeout=(\d+)$/.exec(headers.get('keep-alive') ?? '') ?? []
  t.ok(Number(seconds) * 1000 > IMAGE_TTL_MS, 'otherwise its worker would count as lost')
})

t.test('a picture whose fetch stalls is overwritten when its time is up', async (t) => {
  const { pendingImages, url, blocks } = await open(t, 100)
  const { ticket, answer } = pendingImages.put(largeImage())
  t.notOk(blocks.areWiped())
  const late = t.rejects(answer, { code: 'hashing-unavailable' }) // which may be before it was fetched

  const socket = await begin(url, ticket)
  t.teardown(() => socket.destroy())
  await late

  await t.resolves(
    until(() => blocks.areWiped()),
    'no image lives longer than its limit, whatever the worker does',
  )
})

t.test('a worker’s visit fetches a picture and returns its hashes', async (t) => {
  const { pendingImages, url } = await open(t)
  const visit = visitHandoffs()
  t.teardown(() => visit.close())
  const hashes = Array.from({ length: 8 }, (_, i) => hashFromBytes(Buffer.alloc(32, i)))
  const said: HandoffAnswer = {
    image: { quality: 83, signals: [{ type: 'pdq', view: 'whole', quality: 83, hashes }] },
  }
  const image = largeImage()
  const sent = Buffer.from(image)
  const { ticket, answer } = pendingImages.put(image)

  t.ok(Buffer.concat((await visit.take(url, ticket)) ?? []).equals(sent), 'not a byte of 32 MiB is lost')
  t.equal(await visit.take(url, ticket), undefined)
  t.equal(await visit.answer(url, ticket, said), true)
  t.equal(await visit.answer(url, ticket, said), false)
  t.same(await answer, said)
})

t.test('the worker’s part of a picture whose fetch broke off is overwritten', async (t) => {
  const seen: Buffer[] = []
  const api = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf a picture')
  })
  await new Promise<void>((listening) => api.listen(0, '127.0.0.1', listening))
  t.teardown(() => api.close())
  const line = createPrivateClient(undefined)
  const visit = visitHandoffs({
    ...line,
    request: (url, options, answered) => {
      const outgoing = line.request(url, options, (response) => {
        response.on('data', (chunk: Buffer) => {
          seen.push(chunk)
          t.equal(chunk.toString(), 'half a picture')
          outgoing.destroy()
        })
        answered(response)
      })
      return outgoing
    },
  })
  t.teardown(() => visit.close())
  const address = api.address()

  await t.rejects(visit.take(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, NO_TICKET))

  t.equal(seen.length, 1)
  t.ok(seen.every(isWiped))
})

t.test('a visit to a closed api fails and does not hang', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const listener = await listenForWorkers(pendingImages, { host: '127.0.0.1', port: 0, announcedHost: '127.0.0.1' })
  const visit = visitHandoffs()
  t.teardown(() => visit.close())
  const { ticket } = pendingImages.put(Buffer.from('a picture'))
  await visit.take(listener.url, ticket)

  await listener.close()

  await t.rejects(visit.take(listener.url, ticket))
  await t.rejects(visit.answer(listener.url, ticket, { problem: 'image-undecodable' }))
  pendingImages.close()
})

t.test('closing does not wait for open connections', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const listener = await listenForWorkers(pendingImages, { host: '127.0.0.1', port: 0, announcedHost: '127.0.0.1' })
  const idle = connect(Number(new URL(listener.url).port), '127.0.0.1')
  idle.on('error', () => {})
  await once(idle, 'connect')

  await listener.close()

  t.pass()
})

t.test('the listener announces its configured name, and a taken port is an error', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const listener = await listenForWorkers(pendingImages, { host: '0.0.0.0', port: 0, announcedHost: 'api-1.internal' })
  t.teardown(() => listener.close())
  t.match(listener.url, /^http:\/\/api-1\.internal:\d+$/)

  const port = Number(new URL(listener.url).port)
  await t.rejects(listenForWorkers(pendingImages, { host: '0.0.0.0', port, announcedHost: 'api-1.internal' }), {
    code: 'EADDRINUSE',
  })

  const other = await listenForWorkers(pendingImages, { host: '127.0.0.1', port: 0, announcedHost: 'fd00::1' })
  t.teardown(() => other.close())
  t.match(other.url, /^http:\/\/\[fd00::1\]:\d+$/)
})

async function open(t: Test, ttlMs = LONG_MS) {
  const blocks = new WatchedBlocks()
  const pendingImages = new PendingImages(ttlMs, undefined, blocks)
  const listener = await listenForWorkers(pendingImages, { host: '127.0.0.1', port: 0, announcedHost: '127.0.0.1' })
  t.teardown(async () => {
    pendingImages.close()
    await listener.close()
  })
  return { pendingImages, url: listener.url, blocks }
}

async function put(url: string, ticket: string, body: string): Promise<number> {
  return (await fetch(`${url}/${ticket}`, { method: 'PUT', body })).status
}

/** More than the buffers of two sockets hold. */
function largeImage(): Buffer {
  return Buffer.alloc(32 << 20, 0x5a)
}

/** Requests a picture and reads only its first bytes. */
async function begin(url: string, ticket: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`GET /${ticket} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await once(socket, 'readable')
  return socket
}

function isWiped(image: Buffer): boolean {
  return image.every((byte) => byte === 0)
}

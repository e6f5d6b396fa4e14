// Pictures between hosts: over TLS, to a worker that trusts one CA only, and never in plain text.

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { keepCertificate } from '../../src/boot/certificate-files.js'
import { listenForWorkers } from '../../src/handoff/listener.js'
import { PendingImages } from '../../src/handoff/pending-images.js'
import { visitHandoffs } from '../../src/handoff/visit.js'
import { createPrivateClient } from '../../src/net/private-line.js'
import { authority } from '../helpers/authority.js'
import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { openCase, startService } from '../helpers/service.js'
import { startWorkers } from '../helpers/workers.js'

const LONG_MS = 60_000
const PICTURE = 'a picture that nobody on the way may read'

t.test('a hand-off over TLS is unreadable on the wire, and only the trusted CA identifies an api', async (t) => {
  const [own, other] = [authority(t), authority(t)]
  const { pendingImages, url, seen } = await behindTap(t, own.certificateFor('127.0.0.1'))
  t.match(url, /^https:/)
  const visit = visiting(t, own.ca)
  const { ticket, answer } = pendingImages.put(Buffer.from(PICTURE))

  await t.rejects(visiting(t, other.ca).take(url, ticket), 'another CA')
  await t.rejects(visiting(t, undefined).take(url, ticket), 'in plain text, to a job that leads to TLS')
  t.equal(String(Buffer.concat((await visit.take(url, ticket)) ?? [])), PICTURE)
  t.equal(await visit.answer(url, ticket, { problem: 'image-undecodable' }), true)
  t.same(await answer, { problem: 'image-undecodable' })
  t.ok(seen().length > 1000, 'it went through the tap')
  for (const word of [PICTURE, ticket, 'image-undecodable']) t.notOk(seen().includes(word), 'unreadable')
})

t.test('the same hand-off without TLS is readable on the wire, which proves the test above', async (t) => {
  const { pendingImages, url, seen } = await behindTap(t, undefined)
  const { ticket, answer } = pendingImages.put(Buffer.from(PICTURE))
  answer.catch(() => {})
  await visiting(t, undefined).take(url, ticket)
  t.ok(seen().includes(PICTURE))
})

t.test('a worker with a CA fetches nothing from an api without TLS or with another name', async (t) => {
  const own = authority(t)
  const plain = await behindTap(t, undefined)
  const misnamed = await behindTap(t, own.certificateFor('192.0.2.1'))
  const visit = visiting(t, own.ca)
  for (const { pendingImages, url, seen } of [plain, misnamed]) {
    const { ticket, answer } = pendingImages.put(Buffer.from(PICTURE))
    answer.catch(() => {})
    await t.rejects(visit.take(url, ticket))
    t.notOk(seen().includes(ticket))
  }
})

t.test('a new certificate is used for the next connection, and open connections continue', async (t) => {
  const { ca, filesFor } = authority(t)
  const { certFile, keyFile } = filesFor('127.0.0.1')
  const renewed: number[] = []
  const kept = keepCertificate({
    files: { cert: certFile, key: keyFile },
    intervalMs: LONG_MS,
    now: () => Date.now(),
    onRenewed: (expiresAtMs) => renewed.push(expiresAtMs),
    onRefused: (why) => t.fail(why),
  })
  t.teardown(kept.close)
  const pendingImages = new PendingImages(LONG_MS)
  const listener = await listenForWorkers(pendingImages, {
    host: '127.0.0.1',
    port: 0,
    announcedHost: '127.0.0.1',
    certificate: kept,
  })
  t.teardown(async () => {
    pendingImages.close()
    await listener.close()
  })
  const port = Number(new URL(listener.url).port)
  const connected = async () => {
    const socket = connectTls({ port, host: '127.0.0.1', ca, minVersion: 'TLSv1.3' })
    t.teardown(() => socket.destroy())
    await once(socket, 'secureConnect')
    return socket
  }
  const before = await connected()
  filesFor('127.0.0.1')
  await kept.reload()
  t.equal(renewed.length, 1)
  const after = await connected()
  t.not(before.getPeerCertificate().fingerprint256, after.getPeerCertificate().fingerprint256)
  for (const socket of [before, after]) {
    socket.write('GET /none HTTP/1.1\r\nhost: h\r\n\r\n')
    t.match(String(await once(socket, 'data')), /^HTTP\/1.1 410/)
  }
})

t.test('an api and workers hash pictures over TLS', async (t) => {
  const own = authority(t)
  const service = await startService(t, { handoffCertificate: own.certificateFor('127.0.0.1') })
  await startWorkers(t, service.redis, { TABIR_HANDOFF_CA: own.caFile, TABIR_HASHERS: '1' })
  const her = await openCase(service.app)
  const form = images([await scene(5, { width: 320, height: 240 })])
  const answer = await service.app.inject({
    method: 'POST',
    url: `${her.url}/images`,
    ...form,
    headers: { ...form.headers, ...her.headers },
  })
  t.equal(answer.statusCode, 201)
})

function visiting(t: Test, ca: Buffer | undefined) {
  const visit = visitHandoffs(createPrivateClient(ca))
  t.teardown(() => visit.close())
  return visit
}

/** A listener behind a tap that records every byte, in both directions. */
async function behindTap(t: Test, certificate: { readonly cert: Buffer; readonly key: Buffer } | undefined) {
  const pendingImages = new PendingImages(LONG_MS)
  const listener = await listenForWorkers(pendingImages, {
    host: '127.0.0.1',
    port: 0,
    announcedHost: '127.0.0.1',
    certificate,
  })
  const chunks: Buffer[] = []
  const tap = createServer((near) => {
    const far = connect(Number(new URL(listener.url).port), '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk: Buffer) => chunks.push(chunk))
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  }).listen(0, '127.0.0.1')
  await once(tap, 'listening')
  t.teardown(async () => {
    pendingImages.close()
    await listener.close()
    tap.close()
  })
  const address = tap.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const url = listener.url.replace(/\d+$/, String(port))
  return { pendingImages, url, seen: () => Buffer.concat(chunks).toString('latin1') }
}

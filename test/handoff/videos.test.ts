// A video on its way to a worker: it is sent once, overwritten where it waited, and both sides detect the loss of the other.

import t, { type Test } from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { listenForWorkers } from '../../src/handoff/listener.js'
import { PendingImages } from '../../src/handoff/pending-images.js'
import { createPendingVideos } from '../../src/handoff/pending-videos.js'
import { formatVideoAnswer, readVideoAnswer, type VideoHandoffAnswer } from '../../src/handoff/video-answers.js'
import { createVideoBytes } from '../../src/handoff/video-bytes.js'
import { visitHandoffs } from '../../src/handoff/visit.js'
import { hashedVideoFacts } from '../../src/http/given-videos.js'
import { formatVideo } from '../../workers/media/video/video-answer.js'
import { parseVideoMessage } from '../../workers/media/video/video-message.js'
import { until } from '../helpers/service.js'

const HASH = hashFromBytes(Buffer.alloc(32, 0xa5))
const ANSWER = {
  costMs: 1234,
  video: {
    durationMs: 2000,
    protectedShare: 0.5,
    isKeyFramesOnly: true,
    isThinned: true,
    file: { sha256: HASH, md5: 'ab'.repeat(16) },
    frames: [0, 250].map((atMs) => ({
      atMs,
      signals: [{ type: 'pdq', view: 'whole', quality: 90, hashes: Array(8).fill(HASH) }],
    })),
  },
} satisfies VideoHandoffAnswer

async function open(t: Test, ttlMs = 60_000) {
  const pendingVideos = createPendingVideos(ttlMs)
  const options = { host: '127.0.0.1', port: 0, announcedHost: '127.0.0.1' }
  const listener = await listenForWorkers(new PendingImages(60_000), options, pendingVideos)
  const visit = visitHandoffs()
  t.teardown(() => {
    pendingVideos.close()
    visit.close()
    return listener.close()
  })
  return { pendingVideos, visit, url: listener.url }
}

/** A video of some blocks, and its bytes. */
function video(sizeBytes = 2_500_000) {
  const bytes = createVideoBytes()
  const chunks = Array.from({ length: Math.ceil(sizeBytes / 65_536) }, (_, i) => Buffer.alloc(65_536, 1 + (i % 200)))
  const whole = Buffer.concat(chunks)
  for (const chunk of chunks) bytes.add(chunk)
  t.ok(chunks.every(isWiped), 'every added chunk is overwritten')
  return { bytes, whole }
}

t.test('what a child says of a video besides its frames is told to the caller', async (t) => {
  const { frames: _, file: __, ...facts } = ANSWER.video
  const said = { ...facts, frames: [] }
  const { isKeyFramesOnly, ...signals } = said
  const message = parseVideoMessage(formatVideo(signals, isKeyFramesOnly === true), 'query')
  t.same(message, { video: said })
  t.same(hashedVideoFacts(said), facts)
  t.match(facts, { isThinned: true, isKeyFramesOnly: true })
})

t.test('a video is sent once, and answered once', async (t) => {
  const { pendingVideos, visit, url } = await open(t)
  const { bytes, whole } = video()
  const { ticket, answer } = pendingVideos.put(bytes)
  t.notOk(await visit.answerVideo(url, ticket, ANSWER), 'it was not claimed')
  const seen: Buffer[] = []
  const taken = await visit.takeVideo(url, ticket, (chunk) => seen.push(Buffer.from(chunk)))
  t.ok(Buffer.concat(taken?.pieces ?? []).equals(whole))
  t.ok(Buffer.concat(seen).equals(whole))
  t.equal(await visit.takeVideo(url, ticket, () => {}), undefined)
  t.equal(taken?.disconnected.aborted, false)
  t.ok(await visit.answerVideo(url, ticket, ANSWER))
  t.same(await answer, ANSWER)
  t.notOk(await visit.answerVideo(url, ticket, ANSWER))
  t.equal(pendingVideos.size, 0)
})

t.test('blocks are overwritten when they are sent, dropped or no longer needed', async (t) => {
  const drained = video()
  const blocks: Buffer[] = []
  const parts: Buffer[] = []
  for (const block of drained.bytes.drain()) {
    t.ok(blocks.every(isWiped), 'the previous ones')
    blocks.push(block)
    parts.push(Buffer.from(block))
  }
  t.ok(blocks.every(isWiped))
  t.ok(Buffer.concat(parts).equals(drained.whole))
  const dropped = video(20_000_000).bytes
  const [first] = dropped.drain()
  t.ok(first !== undefined && isWiped(first), 'the loop ended after one')
  dropped.wipe()
  t.equal([...dropped.drain()].length, 0)
})

t.test('a worker detects a cancelled request, and a request detects a lost worker', async (t) => {
  const { pendingVideos, visit, url } = await open(t)
  const left = pendingVideos.put(video().bytes)
  const taken = await visit.takeVideo(url, left.ticket, () => {})
  left.cancel()
  await t.rejects(left.answer, { code: 'hashing-unavailable' })
  await until(() => taken?.disconnected.aborted === true)

  const lost = pendingVideos.put(video().bytes)
  const lostTo = await visit.takeVideo(url, lost.ticket, () => {})
  lostTo?.release()
  await t.rejects(lost.answer, { code: 'hashing-unavailable' })

  const refusing = pendingVideos.put(video().bytes)
  await visit.takeVideo(url, refusing.ticket, () => {})
  t.equal((await fetch(`${url}/videos/${refusing.ticket}`, { method: 'PUT', body: 'no answer' })).status, 400)
  await t.rejects(refusing.answer, { code: 'hashing-unavailable' })
  t.equal((await fetch(`${url}/videos/${refusing.ticket}`, { method: 'POST' })).status, 405)
  t.equal(pendingVideos.size, 0)
})

t.test('a video that no worker fetches before the timeout is discarded', async (t) => {
  const { pendingVideos, visit, url } = await open(t, 20)
  const { ticket, answer } = pendingVideos.put(video().bytes)
  await t.rejects(answer, { code: 'hashing-unavailable' })
  t.equal(await visit.takeVideo(url, ticket, () => {}), undefined)
})

t.test('valid answers are read as written, and invalid ones are rejected', async (t) => {
  const lines = [...formatVideoAnswer(ANSWER)]
  const text = lines.join('')
  for (const size of [1, 100, text.length]) t.same(await readVideoAnswer(inPieces(text, size)), ANSWER)
  t.same(await readVideoAnswer(inPieces('{"problem":"video-too-long","costMs":50}\n', 9)), {
    problem: 'video-too-long',
    costMs: 50,
  })
  const [head = '', first = '', second = ''] = lines
  const more = head.replace('{', '{"path":"/etc/passwd",') + first + second
  t.same(await readVideoAnswer(inPieces(more, 1000)), ANSWER, 'a field of another version is left out')
  const lies = {
    nothing: '',
    'a problem of a case': '{"problem":"case-withdrawn","costMs":0}\n',
    'a problem without a cost': '{"problem":"video-too-long"}\n',
    'a negative cost': '{"problem":"video-too-long","costMs":-1}\n',
    'a problem with frames': `{"problem":"video-too-long","costMs":0}\n${first}`,
    'no head': first,
    'too few frames': head + first,
    'frames out of order': head + second + first,
    'half a line': head + first + second.slice(0, -1),
    'an endless line': `${head}${'x'.repeat(100_000)}`,
    'a hash of a file in a frame': head + first + second.replace('"pdq"', '"sha256"'),
  }
  for (const [what, lie] of Object.entries(lies)) await t.rejects(readVideoAnswer(inPieces(lie, 1000)), what)
})

async function* inPieces(text: string, size: number) {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size))
}

function isWiped(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0)
}

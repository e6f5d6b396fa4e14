import t from 'tap'
import { EVENT_STREAM_LIMITS, eventStreams, wantsEvents } from '../../src/http/event-stream.js'

t.test('a listener that does not read is disconnected, and other listeners get every event', async (t) => {
  const streams = eventStreams({ ...EVENT_STREAM_LIMITS, maxWaitingBytes: 10_000 })
  const senders: ((count: number) => void)[] = []
  let stopped = 0
  const open = () =>
    streams.open('her', 'hers', (send) => {
      senders.push((count) => send({ id: `${count}-0`, event: 'matched', data: { count } }))
      return () => {
        stopped += 1
      }
    })
  const stalled = open()
  const reading = open()
  let heard = ''
  reading.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  for (let i = 0; i < 1000; i++) {
    for (const send of senders) send(i)
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(stalled.destroyed)
  t.equal(stopped, 1, 'its subscription has ended')
  t.notOk(reading.destroyed)
  t.match(heard, /^retry: 3000\n\nid: 0-0\nevent: matched\ndata: \{"count":0\}\n\n/)
  t.match(heard, /id: 999-0\nevent: matched\ndata: \{"count":999\}\n\n$/)
  streams.close()
  await new Promise((resolve) => reading.once('close', resolve))
  t.equal(stopped, 2)
})

t.test('a stream sends heartbeats, ends after its time, and is refused beyond the limit of streams', async (t) => {
  const streams = eventStreams({ ...EVENT_STREAM_LIMITS, maxStreams: 1, heartbeatIntervalMs: 5, endsAfterMs: 100 })
  const stream = streams.open('her', 'hers', () => () => {})
  t.throws(() => streams.open('him', 'his', () => () => {}), { code: 'overloaded' })
  let heard = ''
  for await (const text of stream.setEncoding('utf8')) heard += text
  t.match(heard, /^retry: 3000\n\n(:\n\n)+$/)
  streams.open('her', 'hers', () => () => {})
  streams.close()
})

t.test('an owner beyond its limit of streams loses its own oldest streams only', async (t) => {
  const streams = eventStreams({ ...EVENT_STREAM_LIMITS, maxStreams: 4, maxPerOwner: 2 })
  const ended: string[] = []
  const open = (owner: string, name: string) => {
    const stream = streams.open(owner, owner, () => () => ended.push(name))
    stream.resume()
  }
  open('her', 'hers')
  for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) open('him', name)
  t.same(ended, ['first', 'second', 'third'], 'the oldest of the same owner')
  open('her', 'also hers')
  t.same(ended.length, 3, 'streams of another owner continue')
  streams.close()
})

t.test('only a request that accepts text/event-stream gets a stream', async (t) => {
  for (const accept of ['text/event-stream', 'text/html, text/event-stream;q=0.9', 'text/event-stream,*/*'])
    t.ok(wantsEvents(accept), String(accept))
  for (const accept of [undefined, '', '*/*', 'application/json', 'text/event-streams', 'x-text/event-stream'])
    t.notOk(wantsEvents(accept), String(accept))
})

t.test('an address with many cases loses its own oldest streams, also at the total limit', async (t) => {
  const streams = eventStreams({ ...EVENT_STREAM_LIMITS, maxStreams: 6, maxPerOwner: 2, maxPerAddress: 4 })
  const ended: string[] = []
  const open = (owner: string, address: string) => streams.open(owner, address, () => () => ended.push(owner)).resume()
  open('her', 'hers')
  for (let i = 0; i < 10; i++) open(`case ${i}`, 'his')
  t.same(
    ended,
    Array.from({ length: 6 }, (_, i) => `case ${i}`),
  )
  open('another', 'elsewhere')
  t.equal(ended.length, 6)
  open('case 10', 'his')
  open('her', 'hers')
  t.same(ended.slice(6), ['case 6', 'her'], 'at the limit, a new stream replaces one of the same address')
  t.throws(() => open('nobody', 'nowhere'), { code: 'overloaded' })
  streams.close()
})

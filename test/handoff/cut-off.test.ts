// A worker’s host that is cut off sends nothing and ends no connection, so the kernel has to probe it.

import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import t from 'tap'
import { listenForWorkers } from '../../src/handoff/listener.js'
import { PendingImages } from '../../src/handoff/pending-images.js'
import { until } from '../helpers/service.js'

const TABLE = '/proc/net/tcp'
/** One of the kernel’s timers of a connection. */
const KEEP_ALIVE = '02'

t.test('the kernel probes the connection of a worker that took a picture', async (t) => {
  if (!existsSync(TABLE)) return t.pass('only Linux shows it')
  const pendingImages = new PendingImages(60_000)
  const options = { host: '127.0.0.1', port: 0, announcedHost: '127.0.0.1' }
  const { url, close } = await listenForWorkers(pendingImages, options)
  t.teardown(close)
  const { ticket, answer } = pendingImages.put(Buffer.from('a picture'))
  answer.catch(() => {})
  t.teardown(() => pendingImages.close())
  const port = Number(new URL(url).port)
  const worker = connect(port, '127.0.0.1')
  t.teardown(() => worker.destroy())
  worker.write(`GET /${ticket} HTTP/1.1\r\nhost: x\r\n\r\n`)
  await once(worker, 'data')

  await until(() => timerOf(port, worker.localPort ?? 0) === KEEP_ALIVE)
  t.ok(pendingImages.isTaken(ticket))
})

/** The timer of the end with this port, towards the other. */
function timerOf(port: number, otherPort: number): string | undefined {
  const hex = (number: number) => number.toString(16).toUpperCase().padStart(4, '0')
  const line = readFileSync(TABLE, 'utf8')
    .split('\n')
    .find((each) => new RegExp(`^ *\\d+: [0-9A-F]{8}:${hex(port)} [0-9A-F]{8}:${hex(otherPort)} `).test(each))
  return line?.trim().split(/\s+/)[5]?.split(':')[0]
}

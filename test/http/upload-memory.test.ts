// The memory for pictures in transfer is bounded, and each request frees its part when it ends.

import type { Socket } from 'node:net'
import t from 'tap'
import { emptyFile, flat, textNamedJpg, withLongHead } from '../helpers/hostile-pictures.js'
import { cutHalfWay, images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { refused } from '../helpers/refusal.js'
import { until } from '../helpers/service.js'
import { beginUpload, connectionsOf, listen } from '../helpers/sockets.js'
import { send, startUploads, waitingJobs } from '../helpers/uploads.js'
import { startWorkers } from '../helpers/workers.js'

t.test('pictures beyond the memory limit get 503 until memory is free again', async (t) => {
  const picture = await scene(408, { width: 320, height: 240 })
  const { service, platform } = await startUploads(t, { uploadLimits: { maxInFlightBytes: picture.bytes.length } })
  const { app } = service
  const whole = images([picture])

  // No worker runs yet, so the pictures wait.
  const first = send(app, platform, images([picture, picture]))
  await until(async () => (await waitingJobs(service)) === 1)
  refused(t, await send(app, platform, whole), 'overloaded')
  await startWorkers(t, service.redis)

  const answer = await first
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { results: [{ quality: Number }, { problem: { code: 'overloaded', retryAfterS: Number } }] })
  t.equal((await send(app, platform, whole)).statusCode, 200, 'memory is free again')
})

t.test('memory is freed when a client disconnects while waiting or while sending', async (t) => {
  const picture = await scene(409, { width: 320, height: 240 })
  const { service, platform } = await startUploads(t, { uploadLimits: { maxInFlightBytes: picture.bytes.length } })
  const { app } = service
  const whole = images([picture])
  const port = await listen(app)
  const left = async (socket: Socket) => {
    socket.destroy()
    await until(async () => (await connectionsOf(app)) === 0)
  }

  const waiting = await beginUpload(port, platform.url, platform.headers, whole)
  await until(async () => (await waitingJobs(service)) === 1)
  await left(waiting)
  refused(t, await send(app, platform, whole), 'overloaded', 'its picture still waits for a worker')
  await startWorkers(t, service.redis)
  await until(async () => (await send(app, platform, whole)).statusCode === 200)

  const accepted: Socket[] = []
  app.server.on('connection', (socket) => accepted.push(socket))
  const sending = await beginUpload(port, platform.url, platform.headers, whole, whole.payload.length - 100)
  await until(() => sending.bytesWritten > 0 && accepted[0]?.bytesRead === sending.bytesWritten)
  await until(async () => (await send(app, platform, whole)).statusCode === 503)
  await left(sending)
  await until(async () => (await send(app, platform, whole)).statusCode === 200)

  t.same(
    service.log.filter((line) => line.includes('"level":50')),
    [],
  )
})

t.test('every kind of refusal frees the memory of its picture', async (t) => {
  const picture = await scene(410, { width: 320, height: 240 })
  const { service, platform } = await startUploads(t, {
    uploadLimits: { maxInFlightBytes: picture.bytes.length, maxImageBytes: picture.bytes.length },
    workers: true,
  })
  const { app } = service
  const larger = { ...picture, bytes: withLongHead(picture.bytes, picture.bytes.length + 4) }

  for (const body of [
    images([larger]),
    cutHalfWay(images([picture])),
    images([await textNamedJpg()]),
    images([await emptyFile()]),
    images([await flat()]),
    images([larger, larger, larger]),
  ]) {
    t.not((await send(app, platform, body)).statusCode, 200)
    t.equal((await send(app, platform, images([picture]))).statusCode, 200)
  }
})

// A proxy that waits for less than a video takes cuts the connection. With an idempotency key the video is registered all the same, and a repeat
// gets the answer.

import t from 'tap'
import { multipart } from '../helpers/multipart.js'
import { isAlive } from '../helpers/processes.js'
import { openCase, startService, until } from '../helpers/service.js'
import { beginUpload, connectionsOf, listen, readAll } from '../helpers/sockets.js'
import { imagesOf, send } from '../helpers/uploads.js'
import { ended, stoppedReader } from '../helpers/video-children.js'
import { ffmpeg, matroskaUpload } from '../helpers/videos.js'
import { startWorkers } from '../helpers/workers.js'

const skip = ffmpeg === undefined && 'there is no ffmpeg'
const form = matroskaUpload() ?? multipart([])

t.test(
  'after its connection was cut, a repeat with the same key gets the answer, and nothing is done twice',
  { skip },
  async (t) => {
    const service = await startService(t, { videoLimits: { maxInFlightBytes: 5 * form.payload.length } })
    const { app } = service
    const worker = await startWorkers(t, service.redis)
    const port = await listen(app)
    const her = await openCase(app)
    const url = `${her.url}/videos`
    const keyed = { ...her.headers, 'idempotency-key': 'one-and-the-same-key' }

    const cut = await beginUpload(port, url, keyed, form)
    const reader = (await stoppedReader(worker.pid ?? 0)) ?? 0
    cut.destroy()
    await until(async () => (await connectionsOf(app)) === 0)
    const repeat = readAll(await beginUpload(port, url, keyed, form))
    t.ok(isAlive(reader), 'it goes on for the first request')
    process.kill(reader, 'SIGCONT')
    t.match(await repeat, /^HTTP\/1.1 201 .*"state":"registered"/s)
    await ended(reader)
    t.equal(await imagesOf(app, her), 1)

    const later = await openCase(app)
    const other = {
      url: `${later.url}/videos`,
      headers: { ...later.headers, 'idempotency-key': 'another-key-of-this-test' },
    }
    const alone = await beginUpload(port, other.url, other.headers, form)
    const second = (await stoppedReader(worker.pid ?? 0)) ?? 0
    alone.destroy()
    process.kill(second, 'SIGCONT')
    await until(async () => (await imagesOf(app, later)) === 1)
    t.equal((await send(app, other, form)).statusCode, 201, 'also long after')
    t.equal(await imagesOf(app, later), 1)
  },
)

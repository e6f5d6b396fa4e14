import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readConfig } from '../../src/boot/config.js'
import { findRedisServer } from '../../src/store/embedded/find-redis.js'
import { openStore } from '../../src/store/redis/client.js'
import { answering, keep } from '../faults/sentinels.js'
import { freePorts } from '../helpers/ports.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

t.test('a Redis in cluster mode is refused with one sentence, at the start and by `tabir doctor`', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-cluster-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const binary = findRedisServer(readConfig({ PATH: process.env['PATH'] }))?.binary
  if (binary === undefined) throw new Error('there is no Redis on this machine')
  const [port = 0, busPort] = await freePorts(2)
  const server = keep(binary, join(folder, 'redis'), [
    ...['--port', `${port}`, '--bind', '127.0.0.1', '--appendonly', 'yes'],
    ...['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`],
  ])
  server.start()
  t.teardown(() => server.kill())
  await answering(port)
  const url = `redis://127.0.0.1:${port}`

  await t.rejects(openStore({ url, socket: undefined }), { message: /^This Redis runs in cluster mode, .*Sentinels\.$/ })
  const env = { PATH: process.env['PATH'], TABIR_PORT: '1', TABIR_DATA_DIR: folder, REDIS_URL: url }
  const out = await new Promise<string>((resolve) => {
    execFile(process.execPath, [MAIN, 'doctor'], { env }, (_, out) => resolve(out))
  })
  t.match(out, /^FAIL {2}This Redis runs in cluster mode/m)
})

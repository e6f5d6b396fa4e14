// A match leaves nothing behind that only a full garbage collection frees.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { t } from 'tap'

const PROCESS = fileURLToPath(new URL('../helpers/matching-process.js', import.meta.url))

/** A call once kept 1,300. With that much memory no full collection runs meanwhile, which would hide it. */
const MAX_BYTES_A_CALL = 500

t.test('memory of a call is freed by the next young-generation collection', async (t) => {
  const child = fork(PROCESS, [], { execArgv: ['--expose-gc', '--initial-old-space-size=256'] })
  t.teardown(() => child.kill('SIGKILL'))

  const [{ bytesACall }] = await once(child, 'message')

  t.ok(bytesACall < MAX_BYTES_A_CALL, `${Math.round(bytesACall)} bytes a call`)
})

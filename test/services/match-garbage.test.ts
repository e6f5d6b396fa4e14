// What a match leaves behind: nothing that is kept until all garbage is collected.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { t } from 'tap'

const PROCESS = fileURLToPath(new URL('../helpers/matching-process.js', import.meta.url))

/** Of a call 1,300 were once kept. With so much room all garbage is not collected meanwhile, which would hide it. */
const MAX_BYTES_A_CALL = 500

t.test('what belonged to a call is gone with the next collection of what is young', async (t) => {
  const child = fork(PROCESS, [], { execArgv: ['--expose-gc', '--initial-old-space-size=256'] })
  t.teardown(() => child.kill('SIGKILL'))

  const [{ bytesACall }] = await once(child, 'message')

  t.ok(bytesACall < MAX_BYTES_A_CALL, `${Math.round(bytesACall)} bytes a call`)
})

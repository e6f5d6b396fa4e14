// Tests wait for conditions (`until`), not for times: a time is too short on some machine, and too long on all others. Tests that use a time
// nevertheless are listed here with their reason.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const TIMED: Readonly<Record<string, string>> = {
  'cli/backup-killed.test.ts': 'polls for the moment to kill',
  'cli/export.test.ts': 'cuts an answer a moment after its first half; where it is cut does not matter',
  'cli/restore-left.test.ts': 'polls for the step to kill after',
  'console/console.test.ts': 'nothing may happen: a mistake would show within 50 ms, and a slow machine hides it',
  'console/sign-in.test.ts': 'nothing may happen',
  'faults/hosts.test.ts': 'promises about durations; runs only where asked for',
  'http/admission.test.ts': 'sends again until two uploads overlap',
  'http/foreign-things.test.ts': 'answer times: asks again while there is a difference',
  'http/hma-address.test.ts': 'polls',
  'http/matrix.test.ts': 'answer times: asks again while there is a difference',
  'http/refused-cases.test.ts': 'answer times, compared with the same work done alone',
  'http/store-unavailable.test.ts': 'retries; requests end within a limit, in own time',
  'page/follow-case.test.ts': 'an answer of the page’s own test server comes late',
  'page/video-upload.test.ts': 'a stand-in of XMLHttpRequest fails later',
  'services/feed.model.test.ts': 'polls',
  'services/snapshot-killed.test.ts': 'kills at random moments',
  'store/image-reader.test.ts': 'lets a thread read ahead; what is checked holds however far it gets',
  'workers/child-memory.test.ts': 'polls',
  'workers/sandbox-deaths.test.ts': 'the program that a child runs polls',
  'workers/sandbox-time.test.ts': 'the program that a child runs polls; a stand-in of the watcher answers later',
  'workers/sandbox.test.ts': 'whether an answer comes at all',
}

const TIMES = /(?<![.\w])(setTimeout|sleep)\(|\b(ownTime|spreadMs|timed|fastest)\(/

t.test('tests wait for conditions; each one that uses a time is listed with its reason', (t) => {
  const folder = resolve(import.meta.dirname, '../../test')
  const timed = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.test.ts') && TIMES.test(readFileSync(join(folder, name), 'utf8')),
  )
  t.same(timed.sort(), Object.keys(TIMED).sort())
  t.end()
})

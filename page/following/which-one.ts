// Tells her which picture of the list a file is. The list has no pictures: none is kept. The file is read on the device, and only hashes are sent.

import { api } from '../api.js'
import { one, setText } from '../dom.js'
import type { Outcome } from '../hashing/outcome.js'
import { canHashHere, hashingPool } from '../hashing/pool.js'
import { type Said, say } from '../messages.js'
import type { CaseContext } from './case-requests.js'

/** As many as the service takes. */
const MAX_ASKED = 16

/** @param nameOf the name in the list that is shown. */
export function createWhichOne({ access }: CaseContext, nameOf: (imageId: string) => Said | undefined): void {
  const pool = hashingPool({ areEndedWhenIdle: true })
  const input = one('which-file', HTMLInputElement)
  let reading = new AbortController()
  const answerTo = async (file: File, signal: AbortSignal): Promise<Said> => {
    const quiet = { begun: () => {}, handedOn: () => {}, progress: () => {}, signal }
    const outcome = canHashHere() ? await pool.hash(file, 'hashes', quiet) : undefined
    const hashes = outcome === undefined ? [] : wholesOf(outcome)
    if (hashes.length === 0) return say('run.which.unread')
    const own = access()
    const answer = own === undefined ? undefined : await api.which(own, hashes)
    if (answer === undefined || 'failure' in answer) return say('run.which.failed')
    const names = answer.value.imageIds.flatMap((id) => nameOf(id) ?? [])
    return names.length === 0
      ? say('run.which.none')
      : say('run.which.found', { names: () => names.map((name) => name()).join(' · ') })
  }
  input.addEventListener('change', () => {
    const [file] = input.files ?? []
    input.value = '' // so that the same file can be chosen again
    if (file === undefined) return
    reading.abort() // of the file before
    reading = new AbortController()
    const { signal } = reading
    setText('which', say('run.which.reading'))
    void answerTo(file, signal).then((said) => signal.aborted || setText('which', said))
  })
}

/** PDQ of the whole picture and of frames, evenly chosen. */
function wholesOf(outcome: Outcome): string[] {
  const ofFile = outcome.kind === 'hashed' ? outcome.signals : []
  const moving = outcome.kind === 'hashed-video' ? outcome.video : outcome.kind === 'hashed' ? outcome.animation : undefined
  const all = [...ofFile, ...(moving?.frames ?? []).flatMap(({ signals }) => signals)]
    .filter(({ type, view = 'whole' }) => type === 'pdq' && view === 'whole')
    .map(({ hash }) => hash)
  const step = Math.max(1, Math.ceil(all.length / MAX_ASKED))
  return all.filter((_, k) => k % step === 0)
}

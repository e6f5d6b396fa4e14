// The part of a worker that talks to the page. Its policy lets it connect to nothing; it answers the page, and that is all.

import { hashFile } from './hash-file.js'
import type { Opener } from './opened.js'
import type { Outcome } from './outcome.js'
import type { FromWorker, ToWorker } from './workers.js'

/** @param open how this worker opens files. */
export function answerWith(open: Opener): void {
  answerBy(({ file, wanted }) => hashFile(file, wanted, open))
}

/** @param hash called with each file, and with what tells the page how far it is. */
export function answerBy(hash: (asked: ToWorker, progress: (share: number) => void) => Promise<Outcome>): void {
  const progress = (share: number) => tell({ share })
  addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
    void hash(data, progress).then((outcome) => tell({ outcome }))
  })
  tell({ ready: true })
}

function tell(message: FromWorker): void {
  postMessage(message)
}

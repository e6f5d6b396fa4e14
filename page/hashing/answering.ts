// The part of a worker that talks to the page. The worker's policy forbids all connections; it can only answer the page.

import { hashFile } from './hash-file.js'
import type { Opener } from './opened.js'
import type { Outcome } from './outcome.js'
import type { FromWorker, ToWorker } from './workers.js'

/** @param open how this worker opens files. */
export function answerWith(open: Opener): void {
  answerBy(({ file, wanted }) => hashFile(file, wanted, open))
}

/** @param hash called with each file, and with a function that reports progress to the page. */
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

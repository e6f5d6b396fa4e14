// The part of a worker that talks to the page. Its policy lets it connect to nothing; it answers the page, and that is all.

import { hashFile } from './hash-file.js'
import type { Opener } from './opened.js'
import type { FromWorker, ToWorker } from './workers.js'

/** @param open how this worker opens files. */
export function answerWith(open: Opener): void {
  addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
    void hashFile(data.file, data.wanted, open).then((outcome) => tell({ outcome }))
  })
  tell({ ready: true })
}

function tell(message: FromWorker): void {
  postMessage(message)
}

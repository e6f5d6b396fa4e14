// The program that sees pictures. Its policy lets it connect to nothing; it answers the page, and that is all.

import { hashFile } from './hashing/hash-file.js'
import type { FromWorker, ToWorker } from './hashing/pool.js'

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  void hashFile(data.file, data.wanted).then((outcome) => tell({ outcome }))
})
tell({ ready: true })

function tell(message: FromWorker): void {
  postMessage(message)
}

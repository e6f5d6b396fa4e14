// Like worker.ts, for videos. Loaded when the first one was chosen.

import { answerBy } from './hashing/answering.js'
import { rejected } from './hashing/outcome.js'
import { hashVideoFile } from './video/hash-video-file.js'

answerBy(async ({ file, player }, progress) =>
  player === undefined ? rejected('video-undecodable') : await hashVideoFile(file, player, progress),
)

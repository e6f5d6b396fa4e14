// Like worker.ts, for HEIC in browsers that cannot decode it. Loaded when the first such file was chosen.

import { answerWith } from './hashing/answering.js'
import { openHeif } from './hashing/heif.js'

answerWith(openHeif)

// Like worker.ts, for JPEG XL in browsers that cannot decode it. Loaded when the first such file was chosen.

import { answerWith } from './hashing/answering.js'
import { openWithJxlOxide } from './hashing/jxl.js'

answerWith(openWithJxlOxide)

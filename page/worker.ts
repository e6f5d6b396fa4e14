// The program that sees pictures. Opens those that the browser can decode.

import { answerWith } from './hashing/answering.js'
import { openInBrowser } from './hashing/browser.js'

answerWith(openInBrowser)

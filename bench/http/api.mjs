// The real api process, which also reports its own figures.

import { answer, ownHandlers } from './answers.mjs'

answer(ownHandlers(), { saysReady: false })
await import('../../dist/src/boot/server.js') // last: it sends `ready`, after which messages must be received

// Which Tabir this is: the version of the package, wherever it is asked for.

import { createRequire } from 'node:module'
import { z } from 'zod'

const Package = z.object({ version: z.string() })

/** Beside `dist`, in a checkout and in an image. */
export const { version: VERSION } = Package.parse(createRequire(import.meta.url)('../../../package.json'))

// The version of this Tabir, from its package.

import { createRequire } from 'node:module'
import { z } from 'zod'

const Package = z.object({ version: z.string() })

/** package.json is beside `dist`, in a checkout and in an image. */
export const { version: VERSION } = Package.parse(createRequire(import.meta.url)('../../../package.json'))

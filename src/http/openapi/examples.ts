// What each operation is sent, and what it answers: noted by test/http/example-calls.test.ts from a running api (npm run openapi).

import { readFileSync } from 'node:fs'

export interface Example {
  readonly params?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly answer?: unknown
}

export const EXAMPLES: Readonly<Record<string, Example>> = JSON.parse(
  readFileSync(new URL('examples.json', import.meta.url), 'utf8'),
)

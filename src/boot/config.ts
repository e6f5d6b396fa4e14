// What an operator may set. The only reader of the environment: everything else gets its numbers from here, as arguments.

import type { z } from 'zod'
import { type Environment, environmentOf, type Part } from '../config/part-environments.js'
import { Settings } from '../config/settings.js'
import { unknownSettings } from '../config/unknown.js'

export type { Environment, Part } from '../config/part-environments.js'

export type Config = Readonly<z.infer<typeof Settings>>

/** Its message is for the operator. */
export class WrongSettings extends Error {}

/**
 * Reads the settings.
 *
 * A variable that is set to nothing counts as not set: compose files and CI systems cannot leave one out.
 *
 * @throws {WrongSettings} naming every wrong variable with a reason, and no value: REDIS_URL and TABIR_SEAL_KEYS are secrets.
 */
export function readConfig(env: Environment = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const settings = Settings.safeParse(given)
  const unknown = unknownSettings(Object.keys(given))
  if (settings.success && unknown.length === 0) return settings.data
  const wrong = settings.error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? []
  throw new WrongSettings(['These environment variables cannot be used:', ...wrong, ...unknown].join('\n  '))
}

/** The environment of one part: what it needs of `env`, and the Redis that was opened for it. */
export function environmentFor(
  part: Part,
  redis: { readonly url?: string; readonly socket?: string },
  env: Environment = process.env,
): Environment {
  return environmentOf(part, redis, env)
}

// Reads the settings. This is the only reader of the environment; everything else gets its settings as arguments.

import type { z } from 'zod'
import { type Environment, environmentOf, type Part } from '../config/part-environments.js'
import { Settings } from '../config/settings.js'
import { unknownSettings } from '../config/unknown.js'
import { areKeysBesideData } from '../store/sealing/seal-keys.js'

export type { Environment, Part } from '../config/part-environments.js'

export type Config = Readonly<z.infer<typeof Settings>>

/** The message is for the operator. */
export class WrongSettings extends Error {}

/**
 * Reads the settings. An empty variable counts as not set, because compose files and CI systems cannot omit one.
 * @throws {WrongSettings} with every wrong variable and a reason, but no value: REDIS_URL and TABIR_SEAL_KEYS are secrets
 */
export function readConfig(env: Environment = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const settings = Settings.safeParse(given)
  const unknown = unknownSettings(Object.keys(given))
  if (settings.success && unknown.length === 0) return settings.data
  const wrong = settings.error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? []
  throw new WrongSettings(['These environment variables cannot be used:', ...wrong, ...unknown].join('\n  '))
}

/**
 * For the processes that make the seal keys if there are none.
 * @throws {WrongSettings} as `readConfig`; also where anybody may come and the keys lie, or would be made, in the data folder.
 */
export function readKeyedConfig(env: Environment = process.env): Config {
  const config = readConfig(env)
  if (config.exposure === 'public' && areKeysBesideData(config))
    throw new WrongSettings(
      'TABIR_EXPOSURE is public and the seal keys are in the data folder: a copy of it could be read. Set TABIR_SEAL_KEYS, or move the file elsewhere and name it in TABIR_SEAL_KEY_FILE.',
    )
  return config
}

/** @returns the environment of one part: the variables that it needs, and the Redis that was opened for it. */
export function environmentFor(
  part: Part,
  redis: { readonly url?: string; readonly socket?: string },
  env: Environment = process.env,
): Environment {
  return environmentOf(part, redis, env)
}

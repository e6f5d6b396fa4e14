// Reads fields as HMA's clients send them: numbers and booleans as text, and more than is asked for.

import { ownValue } from '../../../packages/core/src/own-value.js'
import { type FieldError, HmaRefusal } from './refusals.js'

const TRUE = ['true', '1', 'yes', 'on', 't', 'y']
const FALSE = ['false', '0', 'no', 'off', 'f', 'n']

const NO_OBJECT: FieldError = { type: 'model_type', loc: [], msg: 'Input should be a valid dictionary' }

export interface LaxFields {
  /** `undefined` if the field is missing, null or empty. */
  text(name: string): string | undefined
  needed(name: string): string
  bool(name: string): boolean | undefined
  /** A number from 0 to 1. */
  ratio(name: string): number | undefined
  /** @throws {HmaRefusal} 422 with all invalid fields. */
  check(): void
}

export function laxFields(source: unknown): LaxFields {
  const fields: Readonly<Record<string, unknown>> = isObject(source) ? { ...source } : {}
  const errors: FieldError[] = []
  const wrong = (type: string, name: string, msg: string) => {
    errors.push({ type, loc: [name], msg })
    return undefined
  }
  const one = (name: string): unknown => {
    const value = ownValue(fields, name)
    return Array.isArray(value) ? value[0] : (value ?? undefined)
  }

  return {
    text(name) {
      const value = one(name)
      if (value === undefined || value === '') return undefined
      return typeof value === 'string' ? value : wrong('string_type', name, 'Input should be a valid string')
    },
    needed(name) {
      const value = one(name)
      if (value === undefined) wrong('missing', name, 'Field required')
      else if (typeof value !== 'string') wrong('string_type', name, 'Input should be a valid string')
      return typeof value === 'string' ? value : ''
    },
    bool(name) {
      const value = one(name)
      if (value === undefined) return undefined
      const text = String(value).toLowerCase()
      if (TRUE.includes(text)) return true
      if (FALSE.includes(text)) return false
      return wrong('bool_parsing', name, 'Input should be a valid boolean, unable to interpret input')
    },
    ratio(name) {
      const value = one(name)
      if (value === undefined) return undefined
      const number = typeof value === 'boolean' || value === '' ? Number.NaN : Number(value)
      if (number >= 0 && number <= 1) return number
      if (number < 0) return wrong('greater_than_equal', name, 'Input should be greater than or equal to 0')
      if (number > 1) return wrong('less_than_equal', name, 'Input should be less than or equal to 1')
      return wrong('float_parsing', name, 'Input should be a valid number, unable to parse string as a number')
    },
    check() {
      if (!isObject(source)) throw new HmaRefusal(422, 'unprocessable', [NO_OBJECT])
      if (errors.length > 0) throw new HmaRefusal(422, 'unprocessable', errors)
    },
  }
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// What a submitter follows: its states, its number, its PIN. Pure; randomness is handed in.

/** The only ways a case may go. `erased` and `expired` are ends. */
export const CASE_TRANSITIONS = {
  open: ['active', 'withdrawn', 'expired'],
  active: ['withdrawn', 'expired'],
  withdrawn: ['erased'],
  erased: [],
  expired: ['erased'],
} as const satisfies Record<string, readonly string[]>

export type CaseState = keyof typeof CASE_TRANSITIONS
export const CASE_STATES = ['open', 'active', 'withdrawn', 'erased', 'expired'] as const satisfies readonly CaseState[]

/** A state that the store answered with, as text or bytes; `undefined` for whatever is none. */
export function stateIn(reply: unknown): CaseState | undefined {
  return CASE_STATES.find((state) => state === String(reply))
}

export function mayBecome(from: CaseState, to: CaseState): boolean {
  return CASE_TRANSITIONS[from].some((state) => state === to)
}

const LIVING = ['open', 'active'] as const

/**
 * What may be done with a case, in which states, and the state that it is in afterwards when that is another one. The scripts in
 * the store take their states from here.
 */
export const CASE_ACTIONS = {
  'add-images': { from: LIVING, to: 'active' },
  renew: { from: LIVING, to: undefined },
  'change-pin': { from: LIVING, to: undefined },
  'hand-over': { from: LIVING, to: undefined },
  'note-complaint': { from: LIVING, to: undefined },
  withdraw: { from: LIVING, to: 'withdrawn' },
  expire: { from: LIVING, to: 'expired' },
  erase: { from: ['withdrawn', 'expired'], to: 'erased' },
} as const satisfies Record<string, { readonly from: readonly CaseState[]; readonly to: CaseState | undefined }>

export type CaseAction = keyof typeof CASE_ACTIONS
/** The two ways to end a case, and the state that each ends in. */
export type CaseEnding = 'withdrawn' | 'expired'

export function allows(action: CaseAction, state: CaseState): boolean {
  return CASE_ACTIONS[action].from.some((from) => from === state)
}

/** May images still be added? */
export function acceptsImages(state: CaseState): boolean {
  return allows('add-images', state)
}

/**
 * The state at a moment: a case whose time is over is expired from that moment on, whether or not somebody has come round to
 * erasing it.
 */
export function stateAt({ state, expiresAtMs }: { readonly state: CaseState; readonly expiresAtMs: number }, nowMs: number) {
  return allows('expire', state) && expiresAtMs <= nowMs ? 'expired' : state
}

const DAY_MS = 86_400_000
/** A date for her own calendar, since nobody has an address to remind her at: so long before the end, or halfway. */
const REMIND_BEFORE_MS = 30 * DAY_MS
/** How long a case that has ended can still be looked up, with its receipt. Then nothing of it is left. */
export const CASE_FORGOTTEN_AFTER_MS = 30 * DAY_MS

export function remindAtMs({ createdAtMs, expiresAtMs }: { readonly createdAtMs: number; readonly expiresAtMs: number }) {
  return expiresAtMs - Math.min(REMIND_BEFORE_MS, Math.floor((expiresAtMs - createdAtMs) / 2))
}

/** Crockford's base 32: no I, L, O or U, so that a number read out over the telephone arrives. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CASE_NUMBER_DIGITS = 12

/** 60 random bits as `TBR-XXXX-XXXX-XXXX`: nobody finds a case by trying numbers. `random` gives at least 12 bytes. */
export function caseNumberFrom(random: Uint8Array): string {
  if (random.length < CASE_NUMBER_DIGITS) throw new RangeError('a case number needs 12 random bytes')
  const digits = Array.from(random.subarray(0, CASE_NUMBER_DIGITS), (byte) => ALPHABET.charAt(byte & 31)).join('')
  return format(digits)
}

/**
 * Reads a case number as people write it: any case, any spacing, any dash, wide letters, O for 0, I or L for 1, with or without `TBR`,
 * which may also be its first digits.
 * @returns the canonical form, or `undefined` when it cannot be one.
 */
export function parseCaseNumber(text: string): string | undefined {
  const written = text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, '')
  const bare = written.length > CASE_NUMBER_DIGITS ? written.replace(/^TBR/, '') : written
  const digits = bare.replaceAll('O', '0').replace(/[IL]/g, '1')
  return /^[0-9A-HJKMNP-TV-Z]{12}$/.test(digits) ? format(digits) : undefined
}

function format(digits: string): string {
  return `TBR-${digits.slice(0, 4)}-${digits.slice(4, 8)}-${digits.slice(8)}`
}

const PIN_DIGITS = 6
/** Digits alone, for the keypad of a telephone and in every language. 10¹⁶ are too many to guess, so attempts are not limited. */
const RECOVERY_CODE_DIGITS = 16
/** A PIN, or a recovery code in its place. */
export const PIN_PATTERN = /^(?:[0-9]{6}|[0-9]{16})$/

/**
 * A PIN or recovery code as people write it: with spaces or dashes, or with the wide digits of a Chinese keyboard.
 * @returns `undefined` for what cannot be one.
 */
export function parsePin(text: string): string | undefined {
  const pin = text.normalize('NFKC').replaceAll(/[\s\p{Pd}]/gu, '')
  return PIN_PATTERN.test(pin) ? pin : undefined
}

/** @param draw gives a whole number from 0 to below `bound`. */
export function drawPin(draw: (bound: number) => number): string {
  return digitsOf(draw, PIN_DIGITS)
}

/** @param draw as for `drawPin`. */
export function drawRecoveryCode(draw: (bound: number) => number): string {
  return digitsOf(draw, RECOVERY_CODE_DIGITS / 2) + digitsOf(draw, RECOVERY_CODE_DIGITS / 2)
}

export function isRecoveryCode(pin: string): boolean {
  return pin.length === RECOVERY_CODE_DIGITS
}

function digitsOf(draw: (bound: number) => number, digits: number): string {
  return String(draw(10 ** digits)).padStart(digits, '0')
}

/**
 * Guesses at the PINs of a case in its whole life: a wrong PIN is one, or two while two PINs open the case. Of a million PINs they find one
 * with a chance below 1 in 10,000. Beyond it no PIN opens the case any more, and the recovery code does.
 */
export const MAX_PIN_GUESSES = 90
/** Failed attempts that are counted in a day, and the days of which the time line tells. */
export const MAX_FAILURES_SHOWN = 100
export const MAX_FAILURE_DAYS = 30
export const CASE_TOKEN_TTL_S = 12 * 3600

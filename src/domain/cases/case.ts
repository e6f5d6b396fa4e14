// Case states, case numbers and PINs. Pure: the caller provides the randomness.

export const CASE_STATES = ['open', 'active', 'withdrawn', 'erased', 'expired'] as const
export type CaseState = (typeof CASE_STATES)[number]

/**
 * @param reply a reply of the store, as text or bytes.
 * @returns `undefined` if it is not a state.
 */
export function stateIn(reply: unknown): CaseState | undefined {
  return CASE_STATES.find((state) => state === String(reply))
}

const LIVING = ['open', 'active'] as const

/** In which states an action is allowed, and the state that follows it (`undefined`: unchanged). The store's scripts use this table too. */
export const CASE_ACTIONS = {
  'add-images': { from: LIVING, to: 'active' },
  renew: { from: LIVING, to: undefined },
  'change-pin': { from: LIVING, to: undefined },
  'hand-over': { from: LIVING, to: undefined },
  'note-complaint': { from: LIVING, to: undefined },
  'wish-end': { from: LIVING, to: undefined },
  'stop-wishes': { from: LIVING, to: undefined },
  pause: { from: LIVING, to: undefined },
  resume: { from: LIVING, to: undefined },
  /** Also after its end: an ended case and its receipt can be read for 30 days. */
  'end-reading': { from: CASE_STATES, to: undefined },
  withdraw: { from: LIVING, to: 'withdrawn' },
  expire: { from: LIVING, to: 'expired' },
  erase: { from: ['withdrawn', 'expired'], to: 'erased' },
} as const satisfies Record<string, { readonly from: readonly CaseState[]; readonly to: CaseState | undefined }>

export type CaseAction = keyof typeof CASE_ACTIONS
/** How a case can end. */
export type CaseEnding = 'withdrawn' | 'expired'

export function allows(action: CaseAction, state: CaseState): boolean {
  return CASE_ACTIONS[action].from.some((from) => from === state)
}

/** Whether images may still be added. */
export function acceptsImages(state: CaseState): boolean {
  return allows('add-images', state)
}

/** The state at a given time. A case past its expiry counts as expired at once, even before its expiry has been processed. */
export function stateAt({ state, expiresAtMs }: { readonly state: CaseState; readonly expiresAtMs: number }, nowMs: number) {
  return allows('expire', state) && expiresAtMs <= nowMs ? 'expired' : state
}

const DAY_MS = 86_400_000
/**
 * Tabir has no address of the submitter to send reminders to. So it shows a date for her own calendar: 30 days before expiry, or halfway if that is
 * later. Organisations that assist her are told on that date.
 */
export const REMIND_BEFORE_MS = 30 * DAY_MS
/** How long an ended case and its receipt can still be read. Then everything is deleted. */
export const CASE_FORGOTTEN_AFTER_MS = 30 * DAY_MS

/**
 * How long a wish waits that was made without the recovery code: to end the case, or to replace its PIN and code. Somebody who saw the number and the PIN,
 * such as a former partner, can make one. In this time the person with the code sees it on the page and can stop it.
 */
export const WISH_DELAY_MS = 7 * DAY_MS
/** How long a case may pause. Bounded, because a PIN is enough: what somebody else pauses is recognised again by itself. */
export const PAUSE_MS = 7 * DAY_MS

/** @returns the date on which the submitter should renew [epoch ms]. */
export function remindAtMs({ createdAtMs, expiresAtMs }: { readonly createdAtMs: number; readonly expiresAtMs: number }) {
  return expiresAtMs - Math.min(REMIND_BEFORE_MS, Math.floor((expiresAtMs - createdAtMs) / 2))
}

/** Crockford's base 32: without I, L, O and U, so that a number can be read out over the telephone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CASE_NUMBER_DIGITS = 12

/**
 * A case number of 60 random bits, `TBR-XXXX-XXXX-XXXX`: too many to guess.
 * @param random at least 12 bytes.
 * @throws {RangeError} for fewer.
 */
export function caseNumberFrom(random: Uint8Array): string {
  if (random.length < CASE_NUMBER_DIGITS) throw new RangeError('a case number needs 12 random bytes')
  const digits = Array.from(random.subarray(0, CASE_NUMBER_DIGITS), (byte) => ALPHABET.charAt(byte & 31)).join('')
  return format(digits)
}

/**
 * Reads a case number as people type it: as `typed`, in any case, O for 0, I or L for 1, with or without the prefix `TBR`.
 * A number may also start with the digits TBR.
 * @returns the canonical form; `undefined` if it cannot be a case number.
 */
export function parseCaseNumber(text: string): string | undefined {
  const written = typed(text).toUpperCase()
  const bare = written.length > CASE_NUMBER_DIGITS ? written.replace(/^TBR/, '') : written
  const digits = bare.replaceAll('O', '0').replace(/[IL]/g, '1')
  return /^[0-9A-HJKMNP-TV-Z]{12}$/.test(digits) ? format(digits) : undefined
}

function format(digits: string): string {
  return `TBR-${digits.slice(0, 4)}-${digits.slice(4, 8)}-${digits.slice(8)}`
}

const PIN_DIGITS = 6
/** Digits only, for telephone keypads and for every language. 10¹⁶ codes are too many to guess, so attempts are not limited. */
const RECOVERY_CODE_DIGITS = 16
/** A PIN (6 digits) or a recovery code (16 digits). */
export const PIN_PATTERN = /^(?:[0-9]{6}|[0-9]{16})$/

/**
 * Reads a PIN or recovery code as people type it: as `typed`.
 * @returns `undefined` if it cannot be one.
 */
export function parsePin(text: string): string | undefined {
  const pin = typed(text)
  return PIN_PATTERN.test(pin) ? pin : undefined
}

/** The zeros of keyboards for Arabic, Urdu, Hindi and Nepali, Bengali, Tamil, Thai and Burmese. Their digits follow in order. */
const ZEROS = [0x660, 0x6f0, 0x966, 0x9e6, 0xbe6, 0xe50, 0x1040]

/** Without spaces, dashes and the invisible characters that mark directions; full-width letters and the digits of other scripts as ASCII. */
function typed(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\s\p{Pd}\p{Cf}]/gu, '')
    .replaceAll(/\p{Nd}/gu, (digit) => {
      const code = digit.codePointAt(0) ?? 0
      const zero = ZEROS.find((each) => code >= each && code < each + 10)
      return zero === undefined ? digit : String(code - zero)
    })
}

/** @param draw returns a random integer from 0 to below `bound`. */
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
 * PIN guesses allowed over the life of a case. A wrong PIN is one guess, or two while two PINs are valid. So an attacker succeeds with a chance
 * below 1 in 10,000. Beyond the limit only the recovery code opens the case.
 */
export const MAX_PIN_GUESSES = 90
/** Maximum failed logins that are counted per day, and maximum days for which the time line lists them. */
export const MAX_FAILURES_SHOWN = 100
export const MAX_FAILURE_DAYS = 30
export const CASE_TOKEN_TTL_S = 12 * 3600

// The kinds of change in the stream. Readers handle them with a `Record` or a `switch` over all, so a new kind does not compile until each does.

/** What a change of each kind carries besides its revision. */
export const CHANGE_OPS = {
  /** Images were stored or replaced. */
  image: 'imageIds',
  /** The trust status of images changed, their hashes did not. */
  trustStatus: 'imageIds',
  /** Images were erased. */
  tombstone: 'imageIds',
  /** A bank was created, changed or removed. */
  bank: 'name',
  /** An API key was created, changed or revoked. */
  'api-key': 'name',
  /** The store was restored from a backup. What follows belongs to the backup's history. */
  restored: 'nothing',
} as const satisfies Readonly<Record<string, 'imageIds' | 'name' | 'nothing'>>

export type ChangeOp = keyof typeof CHANGE_OPS
type Carried = (typeof CHANGE_OPS)[ChangeOp]
type Carrying<C extends Carried> = { [Op in ChangeOp]: (typeof CHANGE_OPS)[Op] extends C ? Op : never }[ChangeOp]

export type ImageOp = Carrying<'imageIds'>
export type NamedOp = Carrying<'name'>

export interface ImageChange {
  readonly op: ImageOp
  readonly revision: number
  readonly imageIds: readonly string[]
  /** Random bytes by which the writer recognises its own change. */
  readonly by?: string
}
export interface NamedChange {
  readonly op: NamedOp
  readonly revision: number
  readonly name: string
}
export type Change = ImageChange | NamedChange | { readonly op: Carrying<'nothing'>; readonly revision: number }

export function isChangeOp(name: string): name is ChangeOp {
  return Object.hasOwn(CHANGE_OPS, name)
}

export function carriesImageIds(op: ChangeOp): op is ImageOp {
  return CHANGE_OPS[op] === 'imageIds'
}

export function carriesName(op: ChangeOp): op is NamedOp {
  return CHANGE_OPS[op] === 'name'
}

/** The image ids of the wanted kinds of change, in order. An id that changed twice appears twice. */
export function imageIdsOf(changes: readonly Change[], wanted: Readonly<Record<ImageOp, boolean>>): string[] {
  return changes.flatMap((change) => ('imageIds' in change && wanted[change.op] ? change.imageIds : []))
}

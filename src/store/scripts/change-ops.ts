// The kinds of change in the stream. Readers decide by a `Record` or a `switch` over all of them: a new row does not compile until each has decided.

/** What a change of each kind carries besides its revision. */
export const CHANGE_OPS = {
  /** Images were stored or replaced. */
  image: 'imageIds',
  /** What was said about an image changed, its hashes did not. */
  trustStatus: 'imageIds',
  /** Images were erased. */
  tombstone: 'imageIds',
  /** A bank was made, changed or removed. */
  bank: 'name',
  /** A key was made, changed or revoked. */
  'api-key': 'name',
  /** The store was restored from a backup; what follows belongs to the backup's history. */
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
  /** By which its writer knows a change that stores images. */
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

/** The ids in changes of the wanted kinds, in their order; an id that was changed twice comes twice. */
export function imageIdsOf(changes: readonly Change[], wanted: Readonly<Record<ImageOp, boolean>>): string[] {
  return changes.flatMap((change) => ('imageIds' in change && wanted[change.op] ? change.imageIds : []))
}

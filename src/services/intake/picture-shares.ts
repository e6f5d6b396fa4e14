// Who waits for workers with how much: a picture of somebody who has sent little goes before those of somebody who has sent much.

/** Who sends pictures: a case of an address, or a key of an organisation. The names are counted here and go nowhere. */
export interface PictureSender {
  readonly group: string
  readonly member: string
}

export interface PictureShares {
  /**
   * One more picture that costs so much.
   * @returns how much goes before it, of what its sender and the others of its group wait for; and what to call when it waits no more.
   */
  enter(sender: PictureSender, cost: number): { readonly behind: number; readonly leave: () => void }
}

/**
 * As if each group had a worker of its own, and in it each member: the first picture of everybody comes before the second of anybody. Who
 * opens more cases behind one address has no more of the workers; who shares an address with him has as much of it as each of his cases.
 */
export function createPictureShares(): PictureShares {
  const groups = new Map<string, Map<string, number>>()
  return {
    enter({ group, member }, cost) {
      const members = groups.get(group) ?? new Map<string, number>()
      groups.set(group, members)
      const own = members.get(member) ?? 0
      let behind = own
      for (const [other, waiting] of members) if (other !== member) behind += Math.min(waiting, own + cost)
      members.set(member, own + cost)
      let hasLeft = false
      const leave = () => {
        if (hasLeft) return
        hasLeft = true
        const left = (members.get(member) ?? 0) - cost
        if (left > 0) members.set(member, left)
        else members.delete(member)
        if (members.size === 0 && groups.get(group) === members) groups.delete(group)
      }
      return { behind, leave }
    },
  }
}

const units = {
  '': 1,
  ...{ k: 1e3, K: 1e3, kB: 1e3, KB: 1e3, M: 1e6, MB: 1e6, G: 1e9, GB: 1e9, T: 1e12, TB: 1e12 },
  ...{ Ki: 2 ** 10, KiB: 2 ** 10, Mi: 2 ** 20, MiB: 2 ** 20, Gi: 2 ** 30, GiB: 2 ** 30, Ti: 2 ** 40, TiB: 2 ** 40 }
} as const

/** `256Mi`, `1.5Gi`, `512MB` or plain bytes, as Kubernetes and people write them; undefined for any other text. */
export const parseBytes = (text: string): number | undefined => {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)([A-Za-z]{0,3})$/.exec(text)
  if (match === null || !(match[2]! in units)) return undefined
  return Math.round(Number(match[1]) * units[match[2] as keyof typeof units])
}

const mebibyte = 2 ** 20

/** What the code of a process takes of its heap before it has done anything. */
const codeBytes = 40 * mebibyte

/**
 * Of a process that may have so much memory, and of it so much for its heap, the part for what is read and still held,
 * half of which is objects. The rest is for what it has to know, for the garbage of what it does, and for Node itself,
 * which takes some 80 MiB before it has done anything.
 */
export const budgetBytes = (memoryBytes: number, heapBytes: number): number =>
  Math.min(256 * mebibyte, partOf(memoryBytes, heapBytes))

/** Of the same process, the part for the entities that it has in memory; the rest of them lie in their snapshots. */
export const livingBytes = (memoryBytes: number, heapBytes: number): number => partOf(memoryBytes, heapBytes)

const partOf = (memoryBytes: number, heapBytes: number): number =>
  Math.max(8 * mebibyte, Math.floor(Math.min(memoryBytes / 8, (heapBytes - codeBytes) / 4)))

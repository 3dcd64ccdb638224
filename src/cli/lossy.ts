/** What is told on a stream, and how much of it was lost. */
export type Lossy = {
  /** Lines, or pieces of them, that could not be written. */
  readonly lostCount: number
  /** Why the last one was lost; undefined where none was. */
  readonly reason: string | undefined
}

type Written = (error?: Error | null) => void

/** Of what a reader does not take, so much is kept for it. */
const waitingBytesMax = 1024 * 1024

/**
 * Makes a stream of the process lose what it cannot take, since nothing that is said there is worth the work that it is
 * about: a full disk, a reader that is gone, and one that stands still. `onBack` hears once how much was lost, and why,
 * as soon as something can be written again.
 */
export const lossy = (stream: NodeJS.WriteStream, onBack: (lostCount: number, reason: string) => void): Lossy => {
  const state: { lostCount: number; untoldCount: number; reason: string | undefined } = {
    ...{ lostCount: 0, untoldCount: 0, reason: undefined }
  }
  const lost = (reason: string): void => {
    state.lostCount++
    state.untoldCount++
    state.reason = reason
  }
  const settled: Written = (error) => {
    if (error != null) return lost((error as NodeJS.ErrnoException).code ?? error.message)
    if (state.untoldCount === 0) return
    const { untoldCount, reason } = state
    state.untoldCount = 0
    onBack(untoldCount, reason!)
  }
  const write = stream.write.bind(stream) as (chunk: unknown, encoding: unknown, done: Written) => boolean
  const bounded = (chunk: unknown, given?: unknown, then?: unknown): boolean => {
    const done = (typeof given === 'function' ? given : then) as Written | undefined
    if (stream.writableLength > waitingBytesMax) {
      lost('nobody reads it')
      process.nextTick(() => done?.())
      return false
    }
    return write(chunk, typeof given === 'function' ? undefined : given, (error) => {
      settled(error)
      done?.(error)
    })
  }
  stream.write = bounded as typeof stream.write
  // It has been counted by then.
  stream.on('error', () => undefined)
  return state
}

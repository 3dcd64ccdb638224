/** Time as everything that is not pure gets it: passed in, so that a test can move it. */
export type Clock = {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Calls once when `now()` has reached `atMs`; gives a function that cancels. */
  at(atMs: number, call: () => void): () => void
}

/** The longest delay that setTimeout takes; a later call is set again when this one is up. */
const delayMsMax = 2_147_483_647

export const systemClock: Clock = {
  now: () => Date.now(),
  at: (atMs, call) => {
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const delayMs = atMs - Date.now()
      timer = delayMs > delayMsMax ? setTimeout(arm, delayMsMax) : setTimeout(call, Math.max(0, delayMs))
    }
    arm()
    return () => clearTimeout(timer)
  }
}

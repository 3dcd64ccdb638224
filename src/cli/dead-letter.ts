/** What the composition root offers for `dead-letters`. */
export type DeadLetters = {
  /** What people have to know of what they see, as a sentence. */
  readonly warning: string | undefined
  /** In the order of their numbers; `unread` records of the topic are too old to be looked at. */
  list(): Promise<{ readonly letters: readonly DeadLetter[]; readonly unread: number }>
  show(offset: number): Promise<{ readonly letter: DeadLetter; readonly record: DeadRecord }>
  /** Those that are named, or all that never were and may be. */
  resend(wanted: readonly number[] | 'all'): Promise<readonly Resending[]>
  close(): Promise<void>
}

export type DeadLetter = {
  /** Its number: its offset among the dead letters. */
  readonly offset: number
  /** `<topic>/<partition>/<offset>` of the record that could not be read. */
  readonly origin: string
  readonly component: string
  /** Short record name, where it is known. */
  readonly type: string | undefined
  readonly code: string
  readonly reason: string
  /** RFC 3339. */
  readonly at: string
  /** Bytes of a value that was too long to be kept. */
  readonly omitted: number | undefined
  /** When it was last sent back, RFC 3339. */
  readonly resentAt: string | undefined
}

export type DeadRecord = {
  readonly key: string
  /** Milliseconds since 1970, UTC. */
  readonly timestamp: number
  readonly headers: Readonly<Record<string, string>>
  readonly value: Uint8Array | null
  readonly decoded: { readonly type: string; readonly value: object } | undefined
}

/** `to`: `<topic>/<partition>`. */
export type Resending = { readonly letter: DeadLetter } & ({ readonly to: string } | { readonly staysFor: string })

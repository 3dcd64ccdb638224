import type { Component, Event, Input } from './component.ts'

/** A decider bound to its topics. C: the commands that it decides on. E: its events. */
type Binding<S, C extends Message, E extends Message> = {
  readonly name: string
  readonly journal: string
  readonly inbox: string
  /** The commands that it takes from its inbox; any other message there is passed over. */
  readonly commands: readonly C['type'][]
  /** By journal and event: the command that it makes of somebody else's event. */
  readonly reactions: Reactions<C>
  /** The command that it makes of an entity's timer. */
  readonly onTimer?: (key: string) => C
  readonly keysOf: (command: C) => readonly string[]
  readonly decide: (entity: (key: string) => S | undefined, command: C, cause: Cause) => readonly Decided<E>[]
  readonly touches: (event: E) => readonly string[]
  readonly evolve: (entity: S | undefined, event: Decided<E>, key: string) => S | undefined
  readonly dueAt?: (entity: S) => number | undefined
  readonly hasEnded: (entity: S) => boolean
  readonly staysAwake?: (key: string) => boolean
}

type Message = { readonly type: string; readonly value: object }

export type Reactions<C> = Readonly<Record<string, Readonly<Record<string, (event: never) => C>>>>

/** What a decider may know beside the command. A timer has no id; an event that is reacted to has its place. */
type Cause = { readonly id: string | undefined; readonly attempt: number; readonly now: number }

/** An event answers what caused it, unless it names an earlier command that it answers. */
type Decided<E> = E & Pick<Event, 'causationId' | 'at'>

/**
 * Makes a component of a decider that sends no commands: the shape of every plain participant.
 * The types of what comes from the log are vouched for by the contract, which decoded it.
 */
export const bind = <S, C extends Message, E extends Message>(binding: Binding<S, C, E>): Component<S> => {
  const commandOf = (input: Input): C | undefined => {
    if (input.kind === 'timer') return binding.onTimer?.(input.key)
    if (input.topic !== binding.inbox) return binding.reactions[input.topic]?.[input.type]?.(input.value as never)
    return binding.commands.includes(input.type)
      ? ({ type: input.type, value: input.value } as Message as C)
      : undefined
  }
  return {
    name: binding.name,
    journal: binding.journal,
    inbox: binding.inbox,
    reads: Object.keys(binding.reactions).map((topic) => ({ topic, isPartitionedByKey: true })),
    keysOf: (input) => {
      const command = commandOf(input)
      return command === undefined ? [] : binding.keysOf(command)
    },
    decide: (entity, input, now) => {
      const command = commandOf(input)
      if (command === undefined) return []
      const cause =
        input.kind === 'timer' ? { id: undefined, attempt: 1, now } : { id: input.id, attempt: input.attempt, now }
      return binding.decide(entity, command, cause).map((event) => answer(event, input.key, cause.id))
    },
    touches: (event) => binding.touches(event as Message as E),
    evolve: (entity, event, key) => binding.evolve(entity, event as Message as Decided<E>, key),
    dueAt: binding.dueAt ?? (() => undefined),
    hasEnded: binding.hasEnded,
    ...(binding.staysAwake && { staysAwake: binding.staysAwake }),
    commandsOf: () => [],
    snapshot: {
      encode: (entity) => encoder.encode(JSON.stringify(entity)),
      decode: (bytes) => JSON.parse(decoder.decode(bytes)) as S
    }
  }
}

/** It gets the key of what it answers: that is how the task that asked knows it for its own. */
const answer = (event: Decided<Message>, key: string, id: string | undefined): Event => {
  const causationId = event.causationId ?? id
  const value = event.value as Event['value']
  return causationId === undefined ? { key, type: event.type, value } : { key, type: event.type, value, causationId }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
